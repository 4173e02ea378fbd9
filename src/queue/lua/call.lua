-- Asks for a shift if something waits and nobody is awake.
-- KEYS: items, awake, taken. ARGV: how long a call is waited for, ms.
-- Returns 1 where the caller must add a shift.
if redis.call('EXISTS', KEYS[1], KEYS[3]) == 0 then return 0 end
if redis.call('SET', KEYS[2], 'called', 'NX', 'PX', ARGV[1]) then return 1 end
return 0
