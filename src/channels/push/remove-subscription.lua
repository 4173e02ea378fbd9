-- Removes a subscription and its entry in the index of attention.
-- KEYS[1] the user's subscriptions, KEYS[2] the shard's index of attention.
-- ARGV: subscription id, member of the index, and the sealed record that must still lie there; '' for
-- whatever does. Returns how many were removed.
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[3] then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
