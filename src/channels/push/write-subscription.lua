-- Writes a subscription and when it next needs attention.
-- KEYS[1] the user's subscriptions, KEYS[2] the shard's index of attention.
-- ARGV: subscription id, sealed record, member of the index, its time (epoch ms), and the sealed
-- record that it replaces; '' for whatever is there.
-- Returns 1 if there was none before, 0 if there was, -1 if another lies there by now.
if ARGV[5] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[5] then
  return -1
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
