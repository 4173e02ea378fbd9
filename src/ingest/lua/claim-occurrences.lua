-- Decides for events whether they ring, in the order given.
-- ARGV[1]: seconds that an occurrence is remembered. ARGV[2...]: kind and event id, for each key.
-- A key holds the kind that came first and, once one came, behind a line break the first event of
-- the other kind. Each is written once: a decision never changes, however often it is asked.
-- Returns 1 for each that rings, 0 for each whose occurrence rang by an event of the other kind.
local seconds = ARGV[1]

-- Up to version 1.1 it was a hash: the kind that came first, and the first event of each kind.
local function rings_by_hash(key, kind, event)
  redis.call('HSETNX', key, kind, event)
  redis.call('EXPIRE', key, seconds)
  local held = redis.call('HMGET', key, 'first', kind)
  return held[1] == kind or held[2] ~= event
end

local function rings_again(key, held, kind, event)
  local at = string.find(held, '\n', 1, true)
  local first = at and string.sub(held, 1, at - 1) or held
  if first ~= kind and not at then
    redis.call('SET', key, held .. '\n' .. event, 'EX', seconds)
    return false
  end
  redis.call('EXPIRE', key, seconds)
  return first == kind or string.sub(held, at + 1) ~= event
end

local results = {}
for index, key in ipairs(KEYS) do
  local kind, event = ARGV[2 * index], ARGV[2 * index + 1]
  -- One command for what nobody has told of yet, which is nearly everything.
  local held = redis.pcall('SET', key, kind, 'EX', seconds, 'NX', 'GET')
  local rings = true
  if type(held) == 'table' then
    rings = rings_by_hash(key, kind, event)
  elseif held then
    rings = rings_again(key, held, kind, event)
  end
  results[index] = rings and 1 or 0
end
return results
