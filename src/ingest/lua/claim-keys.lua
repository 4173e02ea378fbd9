-- Sets each key that is not there yet. ARGV[1]: seconds that it is kept. ARGV[2...]: a value for each key.
-- Returns for each what it held before, or nothing.
local seconds, held = ARGV[1], {}
for index, key in ipairs(KEYS) do
  held[index] = redis.call('SET', key, ARGV[index + 1], 'EX', seconds, 'NX', 'GET')
end
return held
