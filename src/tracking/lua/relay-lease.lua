-- Takes the right to send a shard's outcomes, keeps it, or gives it back.
-- KEYS: relay. ARGV: who asks, for how long in ms (0 gives it back).
-- Returns 1 if it is the asker's now, 0 if not.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
