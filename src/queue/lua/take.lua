-- Hands the next batch to the shift that holds the list; what it took before is done with.
-- KEYS: items, awake, taken, again. ARGV: the shift, how long it holds without taking, ms; at most
-- so many; 'begin' where the shift takes the list over; how often a batch is handed out again.
-- Returns the batch, {} if nothing waits, nil if another shift has taken over.
if ARGV[4] == 'begin' then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  -- Left by a shift that never came back. A batch that ends whoever works it is given up in the
  -- end; its notes come back through the due index.
  local left = redis.call('LRANGE', KEYS[3], 0, -1)
  if #left > 0 and redis.call('INCR', KEYS[4]) <= tonumber(ARGV[5]) then return left end
elseif redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return false
end
redis.call('DEL', KEYS[3], KEYS[4])
local batch = redis.call('LPOP', KEYS[1], ARGV[3])
if not batch then return {} end
redis.call('RPUSH', KEYS[3], unpack(batch))
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return batch
