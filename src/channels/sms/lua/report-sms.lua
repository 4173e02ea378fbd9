-- Puts down how far an SMS has come. It only goes forward: what is repeated, late or out of order
-- changes nothing.
-- KEYS[1]: the record of the note's SMS. KEYS[2]: what the note said, kept while it may be needed again.
-- ARGV: when it was sent; the status; its rank; the provider's id of it, or ''; the fault, or '';
-- how long a record is kept, ms.
-- Returns the status and fault as they are now; nothing where the record is of a later sending.
local sent_at, status, rank, message, fault, keep_ms = unpack(ARGV)
local held = redis.call('HMGET', KEYS[1], 'sent_at', 'rank', 'status', 'fault')
if held[1] and held[1] ~= sent_at then
  return {}
end
if not held[1] then
  -- A Redis with older data forgot it: what the provider says is all there is.
  redis.call('HSET', KEYS[1], 'sent_at', sent_at)
  redis.call('PEXPIRE', KEYS[1], keep_ms)
end
if message ~= '' then
  redis.call('HSETNX', KEYS[1], 'message', message)
end
if held[2] and tonumber(rank) <= tonumber(held[2]) then
  return { held[3], held[4] or '' }
end
redis.call('HSET', KEYS[1], 'rank', rank, 'status', status, 'fault', fault)
if status == 'delivered' then
  redis.call('DEL', KEYS[2])
end
return { status, fault }
