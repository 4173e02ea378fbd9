-- How a note is changed by the ledger's scripts. call.lua stands in front of it.
-- What a note becomes is decided and written out by the caller, on the note as it was read; if its
-- version is still the same, a script puts the new state in place of the old. Taking texts apart here
-- would cost more than the writing does.

-- A record in two parts, without the request between them: see note-record.ts.
local RECORD_PATTERN = '^([^\n]*\n[^\n]*\n)[^\n]*(\n%d*=.*)$'

-- Puts down what other services are to hear, in the same step as the change itself; the relay sends
-- it and only then takes it away. So nothing is cut off here, however long that takes.
-- kinds: of one step, a comma between them. record: the note's, without its request; nil where it is
-- not at hand. Copying all of it costs less than taking it apart.
local function tell(kinds, base, id, record)
  if outcomes then
    if not record then
      local facts, state = string.match(redis.call('GET', base .. 'rec:' .. id), RECORD_PATTERN)
      record = facts .. state
    end
    redis.call('XADD', base .. 'told', '*', 'step', kinds .. ' ' .. id .. ' ' .. now, 'record', record)
  end
end

-- A message that met no socket is replayed unasked for so long. Each mark runs out by itself.
-- seconds: 0 for one that met a socket after all.
local function mark_pending(base, user, replay_id, seconds)
  local key = base .. 'pend:' .. user
  if seconds == '0' then
    redis.call('ZREM', key, replay_id)
    return
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  redis.call('ZADD', key, now + seconds * 1000, replay_id)
  redis.call('EXPIRE', key, seconds)
end

-- Failed notes by when they failed. One that is older than notes are kept is there no more.
local function bury(base, id)
  local key = base .. 'dead'
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - keep_ms)
  redis.call('ZADD', key, now, id)
end

local function unbury(base, id)
  redis.call('ZREM', base .. 'dead', id)
end

-- How many arguments a change has: see `WireChange` in ledger-wire.ts.
local CHANGE_ARGUMENTS = 13

-- What is left to do once a note's last state is written.
local function settle(base, id, status, audit_line, reply_to)
  if status == 'failed' then
    bury(base, id)
  end
  set_due(base, id, false)
  audit(base, audit_line)
  if reply_to ~= '' then
    redis.call('SPUBLISH', base .. 'reply:' .. reply_to, id)
  end
end

-- Writes the change whose arguments begin at `first`; `text` is the note's new state, or its whole
-- record.
local function write_change(first, base, key, text)
  local id, state_at, due, day = ARGV[first], ARGV[first + 2], ARGV[first + 4], ARGV[first + 5]
  local pending, status, latency_ms = ARGV[first + 7], ARGV[first + 8], ARGV[first + 10]
  if due ~= '' then
    redis.call('SETRANGE', key, state_at, text)
  elseif status == 'failed' then
    redis.call('SETRANGE', key, state_at, text)
    redis.call('PEXPIRE', key, keep_ms)
  else
    redis.call('SET', key, text, 'PX', keep_ms)
  end
  tally(day, ARGV[first + 6])
  if latency_ms ~= '' then
    -- Apart from the other counts, which it would make different for each note.
    count(day, 'latency.sum', latency_ms)
  end
  if pending ~= '' then
    mark_pending(base, string.match(pending, '^(%S+) (%d+) (%d+)$'))
  end
  if due == '' then
    settle(base, id, status, ARGV[first + 9], ARGV[first + 12])
  elseif due ~= '=' then
    set_due(base, id, due)
  end
  if ARGV[first + 11] ~= '' then
    -- Of a note that will not be sent again, the text is the whole record.
    tell(ARGV[first + 11], base, id, due == '' and status ~= 'failed' and text or nil)
  end
end

-- Longer than a state's mark and version are.
local VERSION_BYTES = 20

-- Whether the note is still what the change that begins at `first` was decided on. The mark that a
-- state begins with stands nowhere else in a record without a request, so that no other number is
-- taken for a version. Whoever changes a note has read it: a form that it does not know it never asks for.
local function is_unchanged(first, key)
  local from = ARGV[first + 2]
  local head = redis.call('GETRANGE', key, from, from + VERSION_BYTES)
  return string.match(head, '^%d*=(%d+) ') == ARGV[first + 1]
end

-- Applies the change whose arguments begin at `first`, if the note is still what it was decided on.
-- Returns 1 if it was applied, 0 if not: the caller may look again and decide anew.
local function advance(first)
  local base = base_of(ARGV[first])
  local key = base .. 'rec:' .. ARGV[first]
  if not is_unchanged(first, key) then
    return 0
  end
  write_change(first, base, key, ARGV[first + 3])
  return 1
end
