-- Reads where histories stand. KEYS: the users' `meta`.
-- Returns, for each: epoch ('' if there is none), last replay id.
local reply = {}
for _, meta in ipairs(KEYS) do
  local place = redis.call('HMGET', meta, 'epoch', 'last')
  reply[#reply + 1] = place[1] or ''
  reply[#reply + 1] = place[2] or '0'
end
return reply
