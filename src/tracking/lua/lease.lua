-- Takes notes whose time has come from the due index and leases them to the caller: they come back
-- by themselves if the step they are enqueued for never happens.
-- ARGV[5]: lease, ms. ARGV[6]: at most so many.
-- Returns, for each: {id, user, stage, lane, attempt}.
local lease_ms = tonumber(ARGV[5])
local due = base .. 'due'
local leased = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[6])) do
  local key = base .. 'note:' .. id
  local note = redis.call('HMGET', key, 'status', 'user', 'stage', 'lane', 'attempt', 'timeline')
  if not note[1] or TERMINAL[note[1]] then
    redis.call('ZREM', due, id)
  else
    if note[1] == 'scheduled' then
      local line = now .. ' - scheduled queued -\n'
      redis.call('HSET', key, 'status', 'queued', 'timeline', (note[6] or '') .. line)
    end
    redis.call('ZADD', due, now + lease_ms, id)
    leased[#leased + 1] = { id, note[2], note[3], note[4], note[5] }
  end
end
return leased
