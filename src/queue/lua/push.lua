-- Puts items at the end of a list.
-- KEYS: items, awake. ARGV: how long a call is waited for, ms; then the items.
-- Returns 1 where nobody is awake: the caller must add a shift.
redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
if redis.call('SET', KEYS[2], 'called', 'NX', 'PX', ARGV[1]) then return 1 end
return 0
