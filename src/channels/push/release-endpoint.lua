-- Forgets who owns an endpoint, unless it has moved to another user meanwhile.
-- KEYS[1] the endpoint's owner; ARGV[1] the user who gives it up.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
