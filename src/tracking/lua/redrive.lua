-- Takes a failed note up again. Which channels are open once more was decided on the note as it was
-- read: the fence is the proof that it still is.
-- ARGV[5]: JSON {id, fence, set, lines, counts, audit}.
-- Returns 1 if it is on its way again, 0 if it had moved on.
local change = cjson.decode(ARGV[5])
local key = base .. 'note:' .. change.id
local note = redis.call('HMGET', key, 'fence', 'status', 'day', 'timeline', 'request')
if tonumber(note[1]) ~= change.fence or note[2] ~= 'failed' or not note[5] then
  return 0
end

local timeline = (note[4] or '') .. change.lines
redis.call('HSET', key, 'fence', change.fence + 1, 'timeline', timeline, unpack(change.set))
redis.call('PERSIST', key)
unbury(change.id)
redis.call('ZADD', base .. 'due', now, change.id)
-- It is no longer counted as what it was; it will be, as what it becomes.
count(note[3], 'status.failed', -1)
count_all(note[3], change.counts)
write_counters()
audit({ 'action', 'redriven', 'result', 'queued', unpack(change.audit) })
tell('redriven', change.id)
return 1
