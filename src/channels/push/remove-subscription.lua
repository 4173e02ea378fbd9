-- Removes a subscription and its entry in the index of attention.
-- KEYS[1] the user's subscriptions, KEYS[2] the shard's index of attention, KEYS[3] where it is kept
-- aside. ARGV: subscription id, member of the index, the sealed record that must still lie there ('' for
-- whatever does), and for how many seconds it is kept aside; 0 for not at all: then one that was kept
-- aside before is forgotten too, or a renewal would bring back what its person removed.
-- Returns how many were removed.
local record = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[3] ~= '' and record ~= ARGV[3] then
  return 0
end
if ARGV[4] == '0' then
  redis.call('DEL', KEYS[3])
elseif record then
  redis.call('SET', KEYS[3], record, 'EX', ARGV[4])
end
redis.call('ZREM', KEYS[2], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
