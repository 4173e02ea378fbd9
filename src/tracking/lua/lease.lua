-- Takes notes whose time has come from the due index and leases them to the caller: they come back
-- by themselves if the step they are enqueued for never happens.
-- KEYS[1]: the due index of one shard. ARGV[5]: lease, ms. ARGV[6]: at most so many.
-- ARGV[7]: how long a message that met no socket is replayed unasked, s.
-- Returns, for each: {id, user, stage, lane, attempt}; {id} for one that only a newer version can read.
local lease_ms = tonumber(ARGV[5])
-- What another version is to take up is out of the way for so long: soon enough for its workers to meet
-- it in their turn, and never the first of what is due here.
local LEFT_ALONE_MS = 1000
local leased = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[6])) do
  local note, is_newer = read_note(id)
  if is_newer then
    redis.call('ZADD', KEYS[1], now + LEFT_ALONE_MS, id)
    leased[#leased + 1] = { id }
  elseif not note or TERMINAL[note[STATUS]] then
    redis.call('ZREM', KEYS[1], id)
  else
    if note[STATUS] == 'scheduled' then
      note[STATUS] = 'queued'
      note.timeline = note.timeline .. now .. ' - scheduled queued -\n'
      write_note(note)
    end
    -- Sent, and nobody wrote down what the gateways answered: a socket that opens now may ask for it.
    if state_of(note[CHANNEL.websocket]) == 'sent' and tonumber(note[LEASED_UNTIL]) <= tonumber(now) then
      mark_pending(note.base, note.user, note[REPLAY_ID], ARGV[7])
    end
    redis.call('ZADD', KEYS[1], now + lease_ms, id)
    leased[#leased + 1] = { id, note.user, note[STAGE], note.lane, note[ATTEMPT] }
  end
end
return leased
