-- Records what the recipient's side said: a message was written to a socket by a replay
-- ("delivered"), or acknowledged ("confirmed"). Saying so twice changes nothing.
-- ARGV[5]: JSON list of {id, channel, kind}.
-- Returns, for each: 1 recorded, 0 nothing to record.
local REOPENED = { failed = true, stored = true, suppressed = true }

local function record(receipt)
  local key = base .. 'note:' .. receipt.id
  local channel = receipt.channel
  local note = redis.call('HMGET', key, 'status', channel, 'day', 'user', 'replay_id', 'stage', 'fence', 'timeline')
  local status, day = note[1], note[3]
  if not status or status == 'expired' or status == 'cancelled' then
    return 0
  end
  local before, reason, at = string.match(note[2] or '', '^(%S+) (%S+) (%S+)')
  before = before or 'pending'
  if before == 'confirmed' or (before == 'delivered' and receipt.kind == 'delivered') then
    return 0
  end

  local late = REOPENED[status]
  local timeline = note[8] or ''
  if before ~= 'delivered' then
    timeline = timeline .. now .. ' ' .. channel .. ' ' .. before .. ' delivered -\n'
    at = now
    count(day, channel .. '.delivered', 1)
    if late then
      count(day, 'late', 1)
    end
    if before == 'failed' or before == 'unknown' then
      count(day, channel .. '.failed', -1)
    end
  end
  local record_now = 'delivered - ' .. at .. ' -'
  if receipt.kind == 'confirmed' then
    timeline = timeline .. now .. ' ' .. channel .. ' delivered confirmed -\n'
    record_now = 'confirmed - ' .. at .. ' ' .. now
    count(day, channel .. '.confirmed', 1)
  end
  redis.call('HSET', key, channel, record_now, 'timeline', timeline)
  if channel == 'websocket' and note[5] then
    redis.call('ZREM', base .. 'pend:' .. note[4], note[5])
  end

  if late then
    redis.call('HSET', key, 'status', 'delivered')
    redis.call('HDEL', key, 'request')
    unbury(receipt.id)
    count(day, 'status.' .. status, -1)
    count(day, 'status.delivered', 1)
    audit({ 'action', 'late', 'result', 'delivered', 'notification_id', receipt.id, 'user_id', note[4] })
  elseif status == 'queued' and note[6] == channel then
    -- The step in flight was decided before this was known: its fence no longer holds, and the
    -- note is looked at again now.
    redis.call('HSET', key, 'fence', tonumber(note[7]) + 1)
    redis.call('ZADD', base .. 'due', now, receipt.id)
  end
  if late then
    tell('late', receipt.id)
  end
  if receipt.kind == 'confirmed' then
    tell('confirmed', receipt.id)
  end
  return 1
end

local results = {}
for index, receipt in ipairs(cjson.decode(ARGV[5])) do
  results[index] = record(receipt)
end
write_counters()
return results
