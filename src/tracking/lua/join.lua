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
-- Returns: epoch, last, base, oldest id kept ('' if none or for notes), pending ones no longer kept, entries newest first
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

local function place(entry)
  local id, entry_epoch = string.match(entry, '^(%d+) (%S+) ')
  return tonumber(id), entry_epoch
end

-- Within one epoch ids have no holes, so the distance to the last one bounds what has to be read.
-- What a history is longer than its size is there until it is cut back, and no part of it.
local function newest(count)
  if count < 1 then return {} end
  return redis.call('LRANGE', hist, 0, math.min(count, size) - 1)
end

-- An entry is a whole payload: clients can ask for notes often, and need no more than those.
local oldest_entry = selection ~= 'notes'
  and (redis.call('LINDEX', hist, size - 1) or redis.call('LINDEX', hist, -1))
local oldest = ''
if oldest_entry then oldest = string.match(oldest_entry, '^(%d+) ') end

-- Whether a message was sent and its note does not say yet what became of it.
local note_prefix = string.gsub(KEYS[5], 'due$', 'rec:')
local function is_under_way(entry)
  local note = string.match(entry, '^%S+ %S+ (%S+)')
  local record = redis.call('GET', note_prefix .. note)
  return record and string.match(record, '\n=' .. string.rep('%S+ ', 10) .. 'sent,')
end

-- The lowest id that may be under way; see `next_flight` in publish.lua.
local function flight_floor()
  local floor = tonumber(meta[4] or last + 1)
  -- With nobody at work, one may be for any time.
  if redis.call('ZCOUNT', KEYS[5], '-inf', now - OVERDUE_MS) > 0 then return 0 end
  return floor
end

local selected, missing = {}, 0
local same_epoch = from_epoch == '' or from_epoch == epoch

if selection == 'pending' then
  local wanted, marked = {}, 0
  for _, id in ipairs(redis.call('ZRANGE', pend, '(' .. ARGV[1], '+inf', 'BYSCORE')) do
    wanted[id] = true
    marked = marked + 1
  end
  local floor = flight_floor()
  local entries = marked > 0 and newest(size) or newest(last - floor + 1)
  for _, entry in ipairs(entries) do
    local id = string.match(entry, '^%d+')
    if wanted[id] then
      marked = marked - 1
      wanted[id] = nil
      selected[#selected + 1] = entry
    elseif tonumber(id) >= floor and is_under_way(entry) then
      selected[#selected + 1] = entry
    end
  end
  missing = marked
elseif selection == 'after' then
  if not same_epoch or from_id > last then
    selected = newest(size)
  else
    for _, entry in ipairs(newest(last - from_id)) do
      if place(entry) > from_id then selected[#selected + 1] = entry end
    end
  end
elseif selection == 'newer' then
  local count = last - from_id
  if not same_epoch or from_epoch == '' then count = size end
  for _, entry in ipairs(newest(count)) do
    local id, entry_epoch = place(entry)
    if entry_epoch == from_epoch and id <= from_id then break end
    selected[#selected + 1] = entry
  end
elseif selection == 'notes' then
  -- Entries of this epoch stand at `last - id`; older epochs, with holes between them, behind those.
  local base = tonumber(meta[3] or '0')
  local entries = {}
  if from_epoch ~= epoch then
    entries = redis.call('LRANGE', hist, last - base, -1)
  else
    local first, final = math.max(0, last - through), last - math.max(from_id, base) - 1
    if first <= final then entries = redis.call('LRANGE', hist, first, final) end
  end
  for _, entry in ipairs(entries) do
    local id, entry_epoch = place(entry)
    if id > from_id and id <= through and entry_epoch == from_epoch then
      selected[#selected + 1] = string.match(entry, '^%S+ %S+ %S+ ')
    end
  end
end

local reply = { epoch, meta[2] or '0', meta[3] or '0', oldest, tostring(missing) }
for _, entry in ipairs(selected) do reply[#reply + 1] = entry end
return reply
