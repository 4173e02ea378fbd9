-- Hands the next batch to the shift that holds the list; what it took before is done with.
-- KEYS: items, awake, taken, again. ARGV: the shift, how long it holds without taking, ms; at most
-- so many; 'begin' where the shift takes the list over.
-- Returns the batch, {} if nothing waits, nil if another shift has taken over. At 'begin' there stands
-- in front how often the batch was handed out before.
if ARGV[4] == 'begin' then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  -- Left by a shift that never came back.
  local left = redis.call('LRANGE', KEYS[3], 0, -1)
  if #left > 0 then
    table.insert(left, 1, tostring(redis.call('INCR', KEYS[4])))
    return left
  end
elseif redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return false
end
redis.call('DEL', KEYS[3], KEYS[4])
local batch = redis.call('LPOP', KEYS[1], ARGV[3]) or {}
if #batch > 0 then
  redis.call('RPUSH', KEYS[3], unpack(batch))
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
if ARGV[4] == 'begin' then table.insert(batch, 1, '0') end
return batch
