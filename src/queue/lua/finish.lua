-- Ends a shift.
-- KEYS: items, awake, taken, again. ARGV: the shift; the first item of the batch that it knows to be
-- done with, '' if there is none; how long a call is waited for, ms.
-- Returns 1 where something is left: the caller must add the next shift.
local awake = redis.call('GET', KEYS[2])
-- Another shift has taken over, and ends in its own way. Where one was only asked for, it may be this
-- one, which could not even begin: better a job too many than none.
if awake and awake ~= ARGV[1] and awake ~= 'called' then return 0 end
-- A batch whose hand-out was never heard of begins with another item, and stays for the next shift.
if redis.call('LINDEX', KEYS[3], 0) == ARGV[2] then redis.call('DEL', KEYS[3], KEYS[4]) end
if redis.call('EXISTS', KEYS[1], KEYS[3]) == 0 then
  redis.call('DEL', KEYS[2])
  return 0
end
redis.call('SET', KEYS[2], 'called', 'PX', ARGV[3])
return 1
