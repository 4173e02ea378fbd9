-- The websocket stage in one step: gives each message its replay id, keeps it in the user's
-- history, and sends it to every gateway node that holds the user. If none does, the caller moves the
-- note on at once.
-- ARGV[5]: the worker that waits for answers. ARGV[6]: history size. ARGV[7]: history lifetime, s.
-- ARGV[8]: lifetime of the "never written" mark, s. ARGV[9]: a random epoch for those that need one.
-- ARGV[10...]: frames, see `WireFrame`. Their new states lack the place in the history, which goes in
-- where the placeholder is.
-- Returns, for each: {nodes, replay id, epoch}, or {-1} if the note had moved on.
local worker = ARGV[5]
local history_size = tonumber(ARGV[6])
local history_seconds = tonumber(ARGV[7])
local pending_seconds = tonumber(ARGV[8])
local fresh_epoch = ARGV[9]
local FRAME_ARGUMENTS = 3 + CHANGE_ARGUMENTS
local PLACEHOLDER = ' @ @ '

-- Presence is rewritten every 30 s at least; three missed rewrites mean that the node is gone.
local PRESENCE_FRESH_MS = 90000
local META_KEEP_SECONDS = 400 * 86400
-- Lifetimes are renewed once in so long, not with each message; they are longer by as much.
local RENEW_SECONDS = 86400
-- Ids given out by the Redis that was lost must not be given out again.
local EPOCH_SKIP = 1000
-- Messages after which the marks of somebody who is always online are tidied up.
local TIDY_EVERY = 64

local run_id
local generations = {}

-- A Redis that was restarted may have come back with older data. Its run id tells.
local function generation_of(base)
  if generations[base] then
    return generations[base]
  end
  run_id = run_id or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local stored = redis.call('GET', base .. 'gen') or ''
  local known, number = string.match(stored, '^(%x+) (%d+)$')
  if known ~= run_id then
    number = tonumber(number or '0') + 1
    redis.call('SET', base .. 'gen', run_id .. ' ' .. number)
  end
  generations[base] = tonumber(number)
  return generations[base]
end

local renewal = tostring(math.floor(now / 1000 / RENEW_SECONDS))
local meta_keep_seconds = META_KEEP_SECONDS + RENEW_SECONDS

-- The next place in the user's history, in a new epoch if the old one cannot be trusted.
local function next_place(base, user)
  local key = base .. 'meta:' .. user
  local generation = generation_of(base)
  local meta = redis.call('HMGET', key, 'gen', 'epoch', 'last', 'renewed')
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
  return last + 1, epoch, meta[4] == renewal
end

local function remember(base, user, entry, renewed)
  local history = base .. 'hist:' .. user
  local length = redis.call('LPUSH', history, entry)
  if length > history_size then
    redis.call('LTRIM', history, 0, history_size - 1)
  end
  -- A history that ran out while the place in it was kept begins with one entry.
  if not renewed or length == 1 then
    local meta = base .. 'meta:' .. user
    redis.call('EXPIRE', history, history_seconds + RENEW_SECONDS)
    redis.call('HSET', meta, 'renewed', renewal)
    redis.call('EXPIRE', meta, meta_keep_seconds)
  end
end

-- What goes to each gateway node: all messages of a call travel together. A node hears the channels
-- of all shards, so that any of them will do; in a cluster the call is of one.
local letters = {}

-- Returns the nodes that hold the user, as far as is known.
local function address(base, user, message)
  local key = base .. 'here:' .. user
  local here = redis.call('HGETALL', key)
  local nodes = {}
  for index = 1, #here, 2 do
    local node = here[index]
    local at = tonumber(string.match(here[index + 1], '@(%d+)$') or '0')
    if at > now - PRESENCE_FRESH_MS then
      local letter = letters[node]
      if not letter then
        letter = {}
        letters[node] = letter
      end
      letter[#letter + 1] = message
      nodes[#nodes + 1] = node
    else
      redis.call('HDEL', key, node)
    end
  end
  return nodes
end

-- Returns by node whether anybody listened.
local function send_letters()
  local heard = {}
  for node, letter in pairs(letters) do
    local listeners = redis.call('SPUBLISH', home .. 'node:' .. node, table.concat(letter, '\n'))
    heard[node] = listeners > 0
  end
  return heard
end

local sequenced = {}

-- The place goes into the state where the two placeholders are.
local function with_place(state, replay_id, epoch)
  local at = string.find(state, PLACEHOLDER, 1, true)
  return string.sub(state, 1, at) .. replay_id .. ' ' .. epoch .. string.sub(state, at + #PLACEHOLDER - 1)
end

-- Gives a frame its place and addresses it. Returns nil if the note had moved on.
local function sequence(first)
  local user, wants_ack, payload = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  local change = first + 3
  local id = ARGV[change]
  local base = base_of(id)
  local key = base .. 'note:' .. id
  local held = redis.call('HMGET', key, 'state', 'reply_to')
  -- The same note twice in one call: the second comes too late.
  if version_of(held[1]) ~= ARGV[change + 1] or sequenced[id] then
    return nil
  end
  sequenced[id] = true
  local replay_id, epoch, renewed = next_place(base, user)
  local entry = replay_id .. ' ' .. epoch .. ' ' .. id .. ' ' .. payload
  remember(base, user, entry, renewed)
  -- Before it is sent: a socket that opens meanwhile must find it.
  redis.call('ZADD', base .. 'pend:' .. user, now + pending_seconds * 1000, replay_id)
  local fence = string.match(ARGV[change + 2], '^%d+ (%d+)')
  local header = user .. ' ' .. fence .. ' ' .. worker .. ' ' .. wants_ack .. ' '
  return {
    change = change, base = base, key = key, user = user, reply_to = held[2],
    replay_id = replay_id, epoch = epoch, nodes = address(base, user, header .. entry),
  }
end

-- Returns how many nodes heard a frame. One that nobody listens on is gone, and not asked again.
local function count_nodes(frame, heard)
  local nodes = 0
  for _, node in ipairs(frame.nodes) do
    if heard[node] then
      nodes = nodes + 1
    else
      redis.call('HDEL', frame.base .. 'here:' .. frame.user, node)
    end
  end
  return nodes
end

local function conclude(frame, heard)
  local nodes = count_nodes(frame, heard)
  if nodes == 0 or frame.replay_id % TIDY_EVERY == 0 then
    -- Those of somebody who stays away, or reads too slowly, pile up; what ran out counts for nothing.
    local pending = frame.base .. 'pend:' .. frame.user
    redis.call('ZREMRANGEBYSCORE', pending, '-inf', now)
    redis.call('EXPIRE', pending, pending_seconds)
  end
  local state = with_place(ARGV[frame.change + 2], frame.replay_id, frame.epoch)
  write_change(frame.change, frame.base, frame.key, state, frame.reply_to)
  return { nodes, frame.replay_id, frame.epoch }
end

local frames = {}
local count_of_frames = 0
for first = 10, #ARGV, FRAME_ARGUMENTS do
  count_of_frames = count_of_frames + 1
  frames[count_of_frames] = sequence(first) or false
end

local heard = send_letters()
local results = {}
local published = 0
for index = 1, count_of_frames do
  local frame = frames[index]
  if frame then
    published = published + 1
    results[index] = conclude(frame, heard)
  else
    results[index] = { -1 }
  end
end

if published > 0 then
  redis.call('INCRBY', home .. 'count', published)
end
write_counters()
return results
