-- Counts one SMS against a day's cap, once however often it is asked about.
-- KEYS[1] set of the notes that are counted. ARGV: note id, cap (0: counted, never held back), how
-- many are counted under names that older encryption keys gave, how long the set is kept (ms).
-- Returns 1 if the note is counted now, 0 if the cap is reached.
if redis.call("SISMEMBER", KEYS[1], ARGV[1]) == 1 then return 1 end
local cap = tonumber(ARGV[2])
if cap > 0 and redis.call("SCARD", KEYS[1]) + tonumber(ARGV[3]) >= cap then return 0 end
redis.call("SADD", KEYS[1], ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
return 1
