-- Creates notes with their due entries; a note that exists already is left as it is, so that
-- accepting the same notification again is harmless.
-- ARGV[5]: notifications a minute to one user above which lesser ones are suppressed, 0 for no limit.
-- ARGV[6...]: notes, see `WireNote`. `extra` is '' or JSON of {reply?, matter?, again?}; a matter is
-- {key, at, warning?}, and a warning is the arguments of a note again.
-- Returns, for each: 1 created, 0 existed, 2 created as suppressed, 3 existed and nothing has begun:
-- whoever created it may not have lived to queue it.
local flood_limit = tonumber(ARGV[5])
local FLOOD_WINDOW_MS = 60000
local NOTE_ARGUMENTS = 8

-- Callers choose the type, and a day's counters are kept for long: beyond so many, they share one.
local MAX_TYPES_PER_DAY = 200
local type_fields = {}

local function look_up_type_field(day, type)
  local key = home .. 'stat:' .. day
  local field = 'type:' .. type
  if redis.call('HEXISTS', key, field) == 1 then
    return field
  end
  local known = tonumber(redis.call('HGET', key, 'types') or '0')
  if known >= MAX_TYPES_PER_DAY then
    return 'type:other'
  end
  redis.call('HINCRBY', key, 'types', 1)
  redis.call('HINCRBY', key, field, 0)
  return field
end

-- Most notes of one call are of the same type and day.
local function type_field(day, type)
  local name = day .. type
  local field = type_fields[name]
  if not field then
    field = look_up_type_field(day, type)
    type_fields[name] = field
  end
  return field
end

local function flooded(base, user)
  if flood_limit == 0 then
    return false
  end
  local key = base .. 'flood:' .. user .. ':' .. math.floor(now / FLOOD_WINDOW_MS)
  local seen = redis.call('INCR', key)
  if seen == 1 then
    redis.call('PEXPIRE', key, 2 * FLOOD_WINDOW_MS)
  end
  return seen > flood_limit
end

local function suppress(id)
  local note = read_note(id)
  note[STATUS], note[STAGE] = 'suppressed', '-'
  for _, position in pairs(CHANNEL) do
    note[position] = 'skipped,flood,' .. now .. ',-'
  end
  local record = write_without_request(note)
  redis.call('PEXPIRE', note.key, keep_ms)
  count(note.day, 'status.suppressed', 1)
  audit(note.base, audit_line(note, note.caller, 'settled', 'suppressed', '-'))
  tell('settled', note.base, id, record)
end

-- Returns 1, or 2 if it is suppressed; 0 if it existed.
local function create(id, user, due, lesser, day, type, audit_line, record)
  local base = base_of(id)
  if not redis.call('SET', base .. 'rec:' .. id, record, 'NX') then
    return 0
  end
  local fields = sums_of(day)
  fields.total = (fields.total or 0) + 1
  local field = type_field(day, type)
  fields[field] = (fields[field] or 0) + 1
  audit(base, audit_line)
  if flooded(base, user) and lesser == '1' then
    suppress(id)
    return 2
  end
  set_due(base, id, due)
  return 1
end

-- The clocks of services differ. The order of arrival counts, unless their times contradict it by more.
local MAX_CLOCK_SKEW_MS = 60000
-- As long as an event id is remembered: afterwards nothing comes late.
local MATTER_KEEP_MS = 7 * 86400000

-- The latest word on a matter decides whether its deadline is warned of: a question brings a warning
-- in place of the one before, an answer takes it away. What comes too late changes nothing.
local function hear(id, matter)
  local base = base_of(id)
  local key = base .. 'matter:' .. matter.key
  local held = redis.call('HMGET', key, 'at', 'warning')
  local latest = tonumber(held[1] or '0')
  if matter.at + MAX_CLOCK_SKEW_MS < latest then
    return
  end
  if held[2] then
    cancel(held[2])
    redis.call('HDEL', key, 'warning')
  end
  redis.call('HSET', key, 'at', math.max(matter.at, latest))
  local keep = MATTER_KEEP_MS
  local warning = matter.warning
  if warning then
    create(unpack(warning, 1, NOTE_ARGUMENTS))
    redis.call('HSET', key, 'warning', warning[1])
    keep = keep + math.max(0, warning[3] - now)
    -- For whoever cancels the question before it is asked.
    redis.call('SET', base .. 'warning:' .. id, warning[1], 'PX', keep)
  end
  redis.call('PEXPIRE', key, keep)
end

-- A note of version 1.1, under its own key, has settled; its event or idempotency key may come again.
local function is_of_older_form(id)
  return redis.call('EXISTS', base_of(id) .. 'note:' .. id) == 1
end

-- Returns 3 if it was never taken up, 0 otherwise: also where only a newer version can tell.
local function find(note, reply)
  if not note then
    return 0
  end
  if reply and not TERMINAL[note[STATUS]] then
    -- The caller that asks again is the one that waits now.
    note[REPLY_TO] = reply
    write_note(note)
  end
  return (note[STATUS] == 'queued' and note[FENCE] == '0') and 3 or 0
end

local function accept(first)
  local id, text = ARGV[first], ARGV[first + NOTE_ARGUMENTS]
  local extra = text ~= '' and cjson.decode(text) or {}
  if extra.again and is_of_older_form(id) then
    return 0
  end
  local result = create(unpack(ARGV, first, first + NOTE_ARGUMENTS - 1))
  if result == 0 then
    return find(read_note(id), extra.reply)
  end
  if extra.matter then
    hear(id, extra.matter)
  end
  return result
end

local results = {}

do_and_write(function()
  for first = 6, #ARGV, NOTE_ARGUMENTS + 1 do
    results[#results + 1] = accept(first)
  end
end)
return results
