-- Writes how many sockets of users a gateway node holds; 0 removes its entry.
-- KEYS: the users' `here`. ARGV: node id, now ms, then the sockets of each user.
local HERE_TTL_SECONDS = 120

local node, at = ARGV[1], '@' .. ARGV[2]
for index, here in ipairs(KEYS) do
  local sockets = ARGV[2 + index]
  if sockets == '0' then
    redis.call('HDEL', here, node)
  else
    redis.call('HSET', here, node, sockets .. at)
    redis.call('EXPIRE', here, HERE_TTL_SECONDS)
  end
end
