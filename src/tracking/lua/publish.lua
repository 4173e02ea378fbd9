-- The websocket stage in one step: gives each message its replay id, keeps it in the user's
-- history, and sends it to every gateway node that holds the user. If none does, the caller moves the
-- note on at once.
-- ARGV[5]: history size. ARGV[6]: history lifetime, s. ARGV[7]: a random epoch for those that need one.
-- ARGV[8]: how long what met no socket is replayed unasked, s.
-- ARGV[9...]: frames, see `WireFrame`. Their new states come in two parts, between which the place in
-- the history goes.
-- Returns, for each: {nodes, replay id, epoch}, or {-1} if the note had moved on.
--
-- Lua here reads every byte of every string that is made, to find out whether it has that one
-- already: 1.3 us for a kilobyte. So long texts are put together once, and never taken apart.
local history_size = tonumber(ARGV[5])
local history_seconds = tonumber(ARGV[6])
local fresh_epoch = ARGV[7]
local pending_seconds = ARGV[8]
local FIRST_FRAME = 9
local FRAME_ARGUMENTS = 4 + CHANGE_ARGUMENTS

-- Presence is rewritten every 30 s at least; three missed rewrites mean that the node is gone.
local PRESENCE_FRESH_MS = 90000
-- Of a time in epoch milliseconds, up to the year 2286.
local TIME_DIGITS = 13
local META_KEEP_SECONDS = 400 * 86400
-- Lifetimes are renewed once in so long, not with each message; they are longer by as much.
local RENEW_SECONDS = 86400
-- Ids given out by the Redis that was lost must not be given out again.
local EPOCH_SKIP = 1000
-- A message is two elements of the list: its place, and behind it the payload as it came.
local HISTORY_ELEMENTS = 2
-- A full history is cut back to its size when it is a tenth longer: once in so many messages.
local longest_history = HISTORY_ELEMENTS * (history_size + math.floor(history_size / 10))
-- A message is under way for less than this: its answer comes, or it is leased again by the due index,
-- twice at most, before it is marked as one that met no socket.
local FLIGHT_MS = 90000
-- table.concat puts a longer text together in several steps.
local LETTER_BYTES = 7000

local function find_run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local lineage
local generations = {}

-- Changes with each start of a master, and each time that one takes over: also back from a replica that
-- took over from it, which has lost by then what it alone had, and its run id is still the same. Hosted
-- services may keep it to themselves.
local function find_lineage()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or find_run_id()
end

-- A Redis that was restarted, or took over from another, may have come back with older data.
local function generation_of(base)
  if generations[base] then
    return generations[base]
  end
  lineage = lineage or find_lineage()
  local stored = redis.call('MGET', base .. 'gen', base .. 'lineage')
  local known, number = string.match(stored[1] or '', '^(%x+) (%d+)$')
  if not known or stored[2] ~= lineage then
    -- Up to version 1.2 the run id alone counted. Beside one of those it has to be right.
    local run_id = find_run_id()
    if known ~= run_id or stored[2] then
      number = tonumber(number or '0') + 1
      redis.call('SET', base .. 'gen', run_id .. ' ' .. number)
    end
    redis.call('SET', base .. 'lineage', lineage)
  end
  generations[base] = tonumber(number)
  return generations[base]
end

local renewal = tostring(math.floor(now / 1000 / RENEW_SECONDS))
local meta_keep_seconds = META_KEEP_SECONDS + RENEW_SECONDS

-- The next place in the user's history, in a new epoch if the old one cannot be trusted.
-- Messages that may be under way are those from `flight_floor` on: a join looks at what became of
-- them. From `flight_next` on, messages are younger than `flight_since`.
local function next_place(base, user)
  local key = base .. 'meta:' .. user
  local generation = generation_of(base)
  local meta = redis.call('HMGET', key, 'gen', 'epoch', 'last', 'renewed', 'flight_since', 'flight_next')
  local epoch, last = meta[2], tonumber(meta[3] or '0')
  if not epoch or tonumber(meta[1]) ~= generation then
    -- What was under way in an old epoch may be still, whatever its ids.
    local floor = epoch and 0 or 1
    last = epoch and last + EPOCH_SKIP or 0
    epoch = fresh_epoch
    redis.call(
      'HSET', key, 'gen', generation, 'epoch', epoch, 'base', last, 'last', last + 1,
      'flight_since', now, 'flight_floor', floor, 'flight_next', floor
    )
  elseif meta[5] and now - meta[5] <= FLIGHT_MS then
    redis.call('HSET', key, 'last', last + 1)
  else
    redis.call(
      'HSET', key, 'last', last + 1,
      'flight_since', now, 'flight_floor', meta[6] or last + 1, 'flight_next', last + 1
    )
  end
  return last + 1, epoch, meta[4] == renewal
end

-- The notes that this call has sent; their records do not say so yet.
local sequenced = {}

local function is_under_way(id, replay_id)
  if sequenced[id] then
    return true
  end
  local note = read_note(id)
  return note and note[STATUS] == 'queued' and note[REPLAY_ID] == replay_id
    and state_of(note[CHANNEL.websocket]) == 'sent'
end

-- What is about to be cut off while it is not known what became of it: a join, which replays what is
-- under way, has to say that these are missing. Only a burst of more than a history holds, to somebody
-- who does not answer, gets to the second line.
local function mark_cut(base, user, replay_id)
  local floor = tonumber(redis.call('HGET', base .. 'meta:' .. user, 'flight_floor') or '0')
  if replay_id - history_size < floor then
    return
  end
  local cut = redis.call('LRANGE', base .. 'hist:' .. user, HISTORY_ELEMENTS * history_size, -1)
  for _, element in ipairs(cut) do
    -- A payload begins with no digit.
    local id, note = string.match(element, '^(%d+) %S+ (%S+) ')
    if id and tonumber(id) >= floor and is_under_way(note, id) then
      mark_pending(base, user, id .. ' ' .. note, pending_seconds)
    end
  end
end

local function remember(base, user, replay_id, place, payload, renewed)
  local history = base .. 'hist:' .. user
  local length = redis.call('LPUSH', history, payload, place)
  if length > longest_history then
    mark_cut(base, user, replay_id)
    redis.call('LTRIM', history, 0, HISTORY_ELEMENTS * history_size - 1)
  end
  -- A history that ran out while the place in it was kept begins with one entry.
  if not renewed or length == HISTORY_ELEMENTS then
    local meta = base .. 'meta:' .. user
    redis.call('EXPIRE', history, history_seconds + RENEW_SECONDS)
    redis.call('HSET', meta, 'renewed', renewal)
    redis.call('EXPIRE', meta, meta_keep_seconds)
  end
end

-- What goes to each gateway node: the messages of a call travel together, a few kilobytes at a time.
-- A node hears the channels of all shards, so that any of them will do; in a cluster the call is of
-- one.
local letters = {}
-- Whether anybody listened, by node.
local heard = {}

local function send_letter(node, letter)
  local listeners = redis.call('SPUBLISH', home .. 'node:' .. node, table.concat(letter))
  heard[node] = heard[node] or listeners > 0
  letters[node] = nil
end

local function write_letter(node, header, place, payload)
  local letter = letters[node]
  if letter and letter.bytes + #payload > LETTER_BYTES then
    send_letter(node, letter)
    letter = nil
  end
  if letter then
    header = '\n' .. header
  else
    letter = { bytes = 0 }
    letters[node] = letter
  end
  local length = #letter
  letter[length + 1] = header
  letter[length + 2] = place
  letter[length + 3] = payload
  letter.bytes = letter.bytes + #header + #place + #payload
end

-- Returns the nodes that hold the user, as far as is known.
local function address(base, user, header, place, payload)
  local key = base .. 'here:' .. user
  local here = redis.call('HGETALL', key)
  local nodes = {}
  for index = 1, #here, 2 do
    local node = here[index]
    local at = tonumber(string.sub(here[index + 1], -TIME_DIGITS)) or 0
    if at > now - PRESENCE_FRESH_MS then
      write_letter(node, header, place, payload)
      nodes[#nodes + 1] = node
    else
      redis.call('HDEL', key, node)
    end
  end
  return nodes
end

-- Gives a frame its place and addresses it. Returns nil if the note had moved on.
local function sequence(first)
  local user, header, payload = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  local change = first + 4
  local id = ARGV[change]
  local base = base_of(id)
  local key = base .. 'rec:' .. id
  -- The same note twice in one call: the second comes too late.
  if sequenced[id] or not is_unchanged(change, key) then
    return nil
  end
  sequenced[id] = true
  local replay_id, epoch, renewed = next_place(base, user)
  local place = replay_id .. ' ' .. epoch .. ' ' .. id .. ' '
  remember(base, user, replay_id, place, payload, renewed)
  return {
    change = change, rest = ARGV[first + 3], base = base, key = key, user = user,
    replay_id = replay_id, epoch = epoch, nodes = address(base, user, header, place, payload),
  }
end

-- Returns how many nodes heard a frame. One that nobody listens on is gone, and not asked again.
local function count_nodes(frame)
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

local function conclude(frame)
  local place = frame.replay_id .. ' ' .. frame.epoch
  local state = ARGV[frame.change + 3] .. place .. frame.rest
  write_change(frame.change, frame.base, frame.key, state)
  return { count_nodes(frame), frame.replay_id, frame.epoch }
end

local results = {}

do_and_write(function()
  local frames = {}
  local count_of_frames = 0
  for first = FIRST_FRAME, #ARGV, FRAME_ARGUMENTS do
    count_of_frames = count_of_frames + 1
    frames[count_of_frames] = sequence(first) or false
  end
  for node, letter in pairs(letters) do
    send_letter(node, letter)
  end
  local published = 0
  for index = 1, count_of_frames do
    local frame = frames[index]
    if frame then
      published = published + 1
      results[index] = conclude(frame)
    else
      results[index] = { -1 }
    end
  end
  if published > 0 then
    redis.call('INCRBY', home .. 'count', published)
  end
end)
return results
