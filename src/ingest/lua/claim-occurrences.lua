-- Decides for events of one shard whether they ring, in the order given.
-- ARGV[1]: seconds that an occurrence is remembered. ARGV[2...]: kind and event id, for each key.
-- Both fields of an occurrence are written once: a decision never changes, however often it is asked.
-- Returns 1 for each that rings, 0 for each whose occurrence rang by an event of the other kind.
local results = {}
for index, key in ipairs(KEYS) do
  local kind, event = ARGV[2 * index], ARGV[2 * index + 1]
  redis.call('HSETNX', key, 'first', kind)
  redis.call('HSETNX', key, kind, event)
  redis.call('EXPIRE', key, ARGV[1])
  local held = redis.call('HMGET', key, 'first', kind)
  results[index] = (held[1] == kind or held[2] ~= event) and 1 or 0
end
return results
