-- Creates notes with their due entries; a note that exists already is left as it is, so that
-- accepting the same notification again is harmless.
-- ARGV[5]: notifications a minute to one user above which lesser ones are suppressed, 0 for no limit.
-- ARGV[6]: JSON list of {id, user, due, set, type, day, lesser, audit, reply?, matter?}; a matter is
-- {key, at, warning?}, and a warning is such an item again.
-- Returns, for each: 1 created, 0 existed, 2 created as suppressed, 3 existed and nothing has begun:
-- whoever created it may not have lived to queue it.
local flood_limit = tonumber(ARGV[5])
local FLOOD_WINDOW_MS = 60000
local results = {}

-- Callers choose the type, and a day's counters are kept for long: beyond so many, they share one.
local MAX_TYPES_PER_DAY = 200

local function type_field(day, type)
  local key = base .. 'stat:' .. day
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

local function flooded(user)
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

-- Returns 1, or 2 if it is suppressed.
local function create(item)
  local key = base .. 'note:' .. item.id
  redis.call('HSET', key, unpack(item.set))
  count(item.day, 'total', 1)
  count(item.day, type_field(item.day, item.type), 1)
  audit({ 'action', 'accepted', unpack(item.audit) })
  if flooded(item.user) and item.lesser then
    local skipped = 'skipped flood ' .. now .. ' -'
    redis.call('HSET', key, 'status', 'suppressed', 'stage', '-', 'websocket', skipped, 'push', skipped, 'sms', skipped)
    redis.call('HDEL', key, 'request')
    redis.call('PEXPIRE', key, keep_ms)
    count(item.day, 'status.suppressed', 1)
    audit({ 'action', 'settled', 'result', 'suppressed', unpack(item.audit) })
    tell('settled', item.id)
    return 2
  end
  redis.call('ZADD', base .. 'due', item.due, item.id)
  return 1
end

-- The clocks of services differ. The order of arrival counts, unless their times contradict it by more.
local MAX_CLOCK_SKEW_MS = 60000
-- As long as an event id is remembered: afterwards nothing comes late.
local MATTER_KEEP_MS = 7 * 86400000

-- The latest word on a matter decides whether its deadline is warned of: a question brings a warning
-- in place of the one before, an answer takes it away. What comes too late changes nothing.
local function hear(id, matter)
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
    create(warning)
    redis.call('HSET', key, 'warning', warning.id)
    redis.call('HSET', base .. 'note:' .. id, 'warning', warning.id)
    keep = keep + math.max(0, warning.due - now)
  end
  redis.call('PEXPIRE', key, keep)
end

for index, item in ipairs(cjson.decode(ARGV[6])) do
  local key = base .. 'note:' .. item.id
  if redis.call('EXISTS', key) == 1 then
    local note = redis.call('HMGET', key, 'status', 'fence')
    if item.reply and not TERMINAL[note[1]] then
      -- The caller that asks again is the one that waits now.
      redis.call('HSET', key, 'reply_to', item.reply)
    end
    results[index] = (note[1] == 'queued' and note[2] == '0') and 3 or 0
  else
    results[index] = create(item)
    if item.matter then
      hear(item.id, item.matter)
    end
  end
end

write_counters()
return results
