-- A line in front of one SMS provider. Places are counted in segments: a message that is given place
-- p may go when p segments have become free. Critical messages have a line of their own, which the
-- other one makes room for: each takes the segments it needs out of what became free.
-- KEYS[1] hash: at (ms), free, last (place in the line), critical (ms at which its line is empty).
-- KEYS[2], KEYS[3] sorted sets: places of the messages that wait, and of critical ones by time.
-- ARGV: now (ms), segments a second, segments of this message, 1 if it is critical, message id,
-- segments that may go at once after a pause, how long one that does not come back is remembered (ms).
-- Returns 0 if it may go now, else the ms after which it may ask again.
local now, rate, segments = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000, tonumber(ARGV[3])
local isCritical, id = ARGV[4] == "1", ARGV[5]
local burst, kept = tonumber(ARGV[6]), tonumber(ARGV[7])
-- Milliseconds: a place that is reached must not be missed by the rounding of fractions.
local NEARLY = 0.01
-- Milliseconds: each process sets its clock by Redis' every 30 s.
local APART = 60000

local state = redis.call("HMGET", KEYS[1], "at", "free", "last", "critical")
local at = tonumber(state[1]) or now
local free = tonumber(state[2]) or 0
local last = tonumber(state[3]) or -burst
local critical = tonumber(state[4]) or 0
-- A process whose clock is behind sees no time go by. One that is behind by more than processes are
-- apart says that the time they share was set back: waiting for it would hold up everything.
if now > at then
  free = free + (now - at) * rate
  at = now
elseif at - now > APART then
  critical = critical - (at - now)
  at = now
  -- Their places are times that lie too far ahead; they get new ones when they ask.
  redis.call("DEL", KEYS[3])
end
-- After a pause no more than a burst has been saved up.
last = math.max(last, free - burst)
critical = math.max(critical, at - burst / rate)
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", free - kept * rate)
redis.call("ZREMRANGEBYSCORE", KEYS[3], "-inf", at - kept)

local line = isCritical and KEYS[3] or KEYS[2]
local place = tonumber(redis.call("ZSCORE", line, id))
if not place then
  if isCritical then
    critical = critical + segments / rate
    place = critical
    free = free - segments
  else
    last = last + segments
    place = last
  end
end
local wait
if isCritical then wait = place - at else wait = (place - free) / rate end
if wait <= NEARLY then
  redis.call("ZREM", line, id)
  wait = 0
else
  redis.call("ZADD", line, string.format("%.6f", place), id)
  local whole = isCritical and critical - at or (last - free) / rate
  redis.call("PEXPIRE", line, math.ceil(whole + 2 * kept))
  wait = math.max(1, math.ceil(wait))
end
redis.call("HSET", KEYS[1], "at", string.format("%.0f", at), "free", string.format("%.6f", free),
  "last", string.format("%.6f", last), "critical", string.format("%.3f", critical))
return wait
