-- The websocket stage in one step: gives each message its replay id, keeps it in the user's
-- history, and sends it to every gateway node that holds the user. A note whose user is on no
-- node moves on at once.
-- ARGV[5]: the worker that waits for answers. ARGV[6]: history size. ARGV[7]: history lifetime, s.
-- ARGV[8]: lifetime of the "never written" mark, s. ARGV[9]: a random epoch for those that need one.
-- ARGV[10]: JSON list of {id, user, wants_ack, sent, offline}: the two changes to choose from.
-- ARGV[11...]: the payloads, in the same order.
-- Returns, for each: {nodes, replay id, epoch}, or {-1} if the note had moved on.
local worker = ARGV[5]
local history_size = tonumber(ARGV[6])
local history_seconds = tonumber(ARGV[7])
local pending_seconds = tonumber(ARGV[8])
local fresh_epoch = ARGV[9]

-- Presence is rewritten every 30 s at least; three missed rewrites mean that the node is gone.
local PRESENCE_FRESH_MS = 90000
local META_KEEP_SECONDS = 400 * 86400
-- Ids given out by the Redis that was lost must not be given out again.
local EPOCH_SKIP = 1000

-- A Redis that was restarted may have come back with older data. Its run id tells.
local function current_generation()
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local stored = redis.call('GET', base .. 'gen') or ''
  local known, number = string.match(stored, '^(%x+) (%d+)$')
  if known == run_id then
    return tonumber(number)
  end
  local raised = (tonumber(number or '0')) + 1
  redis.call('SET', base .. 'gen', run_id .. ' ' .. raised)
  return raised
end

local generation = current_generation()

-- The next place in the user's history, in a new epoch if the old one cannot be trusted.
local function next_place(user)
  local key = base .. 'meta:' .. user
  local meta = redis.call('HMGET', key, 'gen', 'epoch', 'last')
  local epoch, last = meta[2], tonumber(meta[3] or '0')
  if not epoch then
    epoch, last = fresh_epoch, 0
    redis.call('HSET', key, 'gen', generation, 'epoch', epoch, 'base', 0, 'last', 1)
  elseif tonumber(meta[1]) ~= generation then
    epoch, last = fresh_epoch, last + EPOCH_SKIP
    redis.call('HSET', key, 'gen', generation, 'epoch', epoch, 'base', last, 'last', last + 1)
  else
    redis.call('HSET', key, 'last', last + 1)
  end
  redis.call('EXPIRE', key, META_KEEP_SECONDS)
  return last + 1, epoch
end

local function send(user, message)
  local nodes = 0
  local here = redis.call('HGETALL', base .. 'here:' .. user)
  for index = 1, #here, 2 do
    local at = tonumber(string.match(here[index + 1], '@(%d+)$') or '0')
    local heard = 0
    if at > now - PRESENCE_FRESH_MS then
      heard = redis.call('SPUBLISH', base .. 'node:' .. here[index], message)
    end
    if heard > 0 then
      nodes = nodes + 1
    else
      -- Nobody listens there: the node is gone, and need not be asked again.
      redis.call('HDEL', base .. 'here:' .. user, here[index])
    end
  end
  return nodes
end

local results = {}
local sequenced = 0
for index, item in ipairs(cjson.decode(ARGV[10])) do
  local note = redis.call('HMGET', base .. 'note:' .. item.id, 'fence', 'status', 'stage', 'day', 'replay_id')
  if tonumber(note[1]) ~= item.sent.fence or note[2] ~= 'queued' or note[3] ~= 'websocket' then
    results[index] = { -1 }
  else
    local replay_id, epoch = next_place(item.user)
    local entry = replay_id .. ' ' .. epoch .. ' ' .. item.id .. ' ' .. ARGV[10 + index]
    local history = base .. 'hist:' .. item.user
    redis.call('LPUSH', history, entry)
    redis.call('LTRIM', history, 0, history_size - 1)
    redis.call('EXPIRE', history, history_seconds)
    local pending = base .. 'pend:' .. item.user
    redis.call('ZREMRANGEBYSCORE', pending, '-inf', now)
    redis.call('ZADD', pending, now + pending_seconds * 1000, replay_id)
    redis.call('EXPIRE', pending, pending_seconds)
    sequenced = sequenced + 1

    local header = item.user .. ' ' .. (item.sent.fence + 1) .. ' ' .. worker .. ' ' .. item.wants_ack .. ' '
    local nodes = send(item.user, header .. entry)
    if not note[5] then
      -- Notifications are counted, not frames: one that is sent once more had its first before.
      count(note[4], 'websocket.sent', 1)
    end
    redis.call('HSET', base .. 'note:' .. item.id, 'replay_id', replay_id, 'epoch', epoch)
    advance(nodes > 0 and item.sent or item.offline)
    results[index] = { nodes, replay_id, epoch }
  end
end

if sequenced > 0 then
  redis.call('INCRBY', base .. 'count', sequenced)
end
write_counters()
return results
