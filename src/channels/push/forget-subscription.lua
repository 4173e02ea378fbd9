-- Takes a subscription that is no more off the index of attention.
-- KEYS[1] the user's subscriptions, KEYS[2] the shard's index; ARGV: subscription id, member.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  return 0
end
return redis.call('ZREM', KEYS[2], ARGV[2])
