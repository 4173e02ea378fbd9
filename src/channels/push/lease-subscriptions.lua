-- Hands out subscriptions that need attention, and keeps them from other workers for a while.
-- KEYS[1] the shard's index of attention; ARGV: now, until when they are kept (epoch ms), how many.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[2], member)
end
return due
