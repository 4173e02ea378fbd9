-- Counts requests in a sliding window: this minute's count, plus the last minute's in the share
-- that the window still covers. Two numbers per caller, whatever the limit.
-- KEYS[1] hash of one caller. ARGV: now (ms), window (ms), limit, how many requests, and what each
-- of them counts as: each passes as a whole or not at all.
-- Returns {requests granted, counted in this minute, counted in the last minute}.
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local limit, wanted, cost = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local slot = math.floor(now / window)
local current, previous = 0, 0
local stored = redis.call("HMGET", KEYS[1], "slot", "current", "previous")
if stored[1] then
  local age = slot - tonumber(stored[1])
  if age <= 0 then
    -- A process whose clock is behind counts into the minute that another one has begun.
    slot = tonumber(stored[1])
    current, previous = tonumber(stored[2]), tonumber(stored[3])
  elseif age == 1 then
    previous = tonumber(stored[2])
  end
end
local covered = 1 - math.max(0, now - slot * window) / window
local free = math.floor(limit - previous * covered - current)
local granted = math.max(0, math.min(wanted, math.floor(free / cost)))
if granted > 0 then
  current = current + granted * cost
  redis.call("HSET", KEYS[1], "slot", slot, "current", current, "previous", previous)
  redis.call("PEXPIRE", KEYS[1], 2 * window)
end
return { granted, current, previous }
