-- Reads, in one step, where a user's history stands and the part of it that is asked for; on the
-- way it can register that a gateway node holds the user, so that nothing is published in between.
-- KEYS: here, meta, hist, pend, the shard's due index
-- ARGV: now ms, history size, node id ('' registers nothing), socket count, selection, from id,
-- from epoch, through id
-- Selections: none     only the place
--             pending  what never met a socket and has not run out, and what is on its way to one
--             after    above `from id`; everything if the epoch differs or the id was never given out
--             newer    what was added behind the place (from id, from epoch), whatever the epoch is now
--             notes    above `from id` up to `through id` of `from epoch`, without the payloads
-- Returns: epoch, last, base, oldest id kept ('' if none or for notes), pending ones no longer kept (of
-- those under way, one is enough);
-- then place and payload of each message, newest first.
local STALE_MS = 90000
local HERE_TTL_SECONDS = 120
-- The due index takes a note up as soon as its time has come, unless no worker is left.
local OVERDUE_MS = 15000

local here, meta_key, hist, pend = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local node, sockets, selection = ARGV[3], ARGV[4], ARGV[5]
local from_id, from_epoch, through = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])

if node ~= '' then
  -- A node that was killed leaves its field behind; nobody else would ever remove it.
  local fields = redis.call('HGETALL', here)
  for index = 1, #fields, 2 do
    local at = tonumber(string.match(fields[index + 1], '@(%d+)$') or '0')
    if now - at > STALE_MS then redis.call('HDEL', here, fields[index]) end
  end
  redis.call('HSET', here, node, sockets .. '@' .. ARGV[1])
  redis.call('EXPIRE', here, HERE_TTL_SECONDS)
end

local meta = redis.call('HMGET', meta_key, 'epoch', 'last', 'base', 'flight_floor')
local epoch, last = meta[1] or '', tonumber(meta[2] or '0')

local function ends_with_blank(element)
  return string.byte(element, -1) == 32
end

-- A message is two elements: its place ("id epoch note "), and the payload. Older ones, of version 1.1,
-- are one, in which the payload comes behind the blank. A payload begins with no digit.
local function messages_in(elements)
  local messages = {}
  local index = 1
  while index <= #elements do
    local element = elements[index]
    local id, epoch_of, note, behind = string.match(element, '^(%d+) (%S+) (%S+) ()')
    if id then
      local message = { id = tonumber(id), epoch = epoch_of, note = note }
      if ends_with_blank(element) then
        index = index + 1
        message.place, message.payload = element, elements[index]
      else
        message.place, message.payload = string.sub(element, 1, behind - 1), string.sub(element, behind)
      end
      messages[#messages + 1] = message
    end
    index = index + 1
  end
  return messages
end

-- Within one epoch ids have no holes, so the distance to the last one bounds what has to be read.
-- What a history is longer than its size is there until it is cut back, and no part of it.
local function newest(count)
  if count < 1 then return {} end
  return messages_in(redis.call('LRANGE', hist, 0, 2 * math.min(count, size) - 1))
end

-- A message is a whole payload: clients can ask for notes often, and need no more than those.
local function find_oldest()
  local element = redis.call('LINDEX', hist, 2 * size - 2) or redis.call('LINDEX', hist, -1)
  if element and not string.find(element, '^%d') then
    -- It is the payload; what it belongs to stands before it.
    element = redis.call('LINDEX', hist, -2)
  end
  return element and string.match(element, '^%d+') or ''
end
local oldest = selection == 'notes' and '' or find_oldest()

-- Whether a message was sent and its note does not say yet what became of it.
-- Of its state: unsettled, the replay id, and the record of the first channel.
local UNDER_WAY = '\n%d*=%S+ %S+ queued ' .. string.rep('%S+ ', 5) .. '(%d+) %S+ sent,'
local note_prefix = string.gsub(KEYS[5], 'due$', 'rec:')
local function is_under_way(note, id)
  local record = redis.call('GET', note_prefix .. note)
  -- One that is sent again has another place, too.
  return record and string.match(record, UNDER_WAY) == id
end

-- The lowest id that may be under way; see `next_place` in publish.lua.
local function flight_floor()
  local floor = tonumber(meta[4] or last + 1)
  -- With nobody at work, one may be for any time.
  if redis.call('ZCOUNT', KEYS[5], '-inf', now - OVERDUE_MS) > 0 then return 0 end
  return floor
end

-- Counts, up to one, what is under way and cannot be replayed: `cut` are marks of publish.lua, "id note",
-- of what was cut off; a few more lie behind the history's end.
local function count_cut(cut, floor)
  for _, mark in ipairs(cut) do
    local id, note = string.match(mark, '^(%d+) (%S+)$')
    if is_under_way(note, id) then return 1 end
    -- What was given up has a mark of its own by now.
    redis.call('ZREM', pend, mark)
  end
  if last - floor < size then return 0 end
  for _, message in ipairs(messages_in(redis.call('LRANGE', hist, 2 * size, -1))) do
    if message.id >= floor and is_under_way(message.note, tostring(message.id)) then return 1 end
  end
  return 0
end

local selected, missing = {}, 0
local same_epoch = from_epoch == '' or from_epoch == epoch

if selection == 'pending' then
  local wanted, marked, cut = {}, 0, {}
  for _, mark in ipairs(redis.call('ZRANGE', pend, '(' .. ARGV[1], '+inf', 'BYSCORE')) do
    if string.find(mark, ' ', 1, true) then
      cut[#cut + 1] = mark
    else
      wanted[mark] = true
      marked = marked + 1
    end
  end
  local floor = flight_floor()
  for _, message in ipairs(newest(marked > 0 and size or last - floor + 1)) do
    local id = tostring(message.id)
    if wanted[id] then
      marked = marked - 1
      wanted[id] = nil
      selected[#selected + 1] = message
    elseif message.id >= floor and is_under_way(message.note, id) then
      selected[#selected + 1] = message
    end
  end
  missing = marked > 0 and marked or count_cut(cut, floor)
elseif selection == 'after' then
  if not same_epoch or from_id > last then
    selected = newest(size)
  else
    for _, message in ipairs(newest(last - from_id)) do
      if message.id > from_id then selected[#selected + 1] = message end
    end
  end
elseif selection == 'newer' then
  local count = last - from_id
  if not same_epoch or from_epoch == '' then count = size end
  for _, message in ipairs(newest(count)) do
    if message.epoch == from_epoch and message.id <= from_id then break end
    selected[#selected + 1] = message
  end
elseif selection == 'notes' then
  -- Messages of this epoch are the `last - id` newest; older epochs, with holes, are behind those.
  -- With older versions' among them, they begin and end sooner.
  local base = tonumber(meta[3] or '0')
  local first = from_epoch == epoch and math.max(0, last - through) or last - base
  local final = from_epoch == epoch and last - math.max(from_id, base) - 1 or size
  local whole = not string.find(redis.call('LINDEX', hist, -1) or '', '^%d')
  local elements = {}
  if first <= final then
    elements = redis.call('LRANGE', hist, whole and 2 * first or first, 2 * final + 1)
  end
  for _, message in ipairs(messages_in(elements)) do
    if message.id > from_id and message.id <= through and message.epoch == from_epoch then
      selected[#selected + 1] = { place = message.place, payload = '' }
    end
  end
end

local reply = { epoch, meta[2] or '0', meta[3] or '0', oldest, tostring(missing) }
for _, message in ipairs(selected) do
  reply[#reply + 1] = message.place
  reply[#reply + 1] = message.payload
end
return reply
