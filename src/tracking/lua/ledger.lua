-- Shared by the ledger's scripts: it is put in front of each of them, and audit.lua in front of it.
-- ARGV[1] is the prefix of all keys, ARGV[2] the time in epoch milliseconds (from the caller's
-- clock, so that tests can turn it), ARGV[3] how long a settled note is kept, in milliseconds,
-- ARGV[4] 1 if other services are told what became of notes.
-- One call handles notes of one shard in a Redis Cluster, of any shard otherwise: a note's id begins
-- with its shard, and KEYS[1] is the due index of the first one's.
--
-- What a note becomes is decided and written out by the caller, on the note as it was read; if its
-- version is still the same, a script puts the new state in place of the old. Taking texts apart here
-- would cost more than the writing does.
local prefix = ARGV[1]
local now = ARGV[2]
local keep_ms = ARGV[3]
local outcomes = ARGV[4] == '1'

local STATISTICS_KEEP_SECONDS = 400 * 86400

-- What belongs to no single shard (sums that readers add up) is written beside the first note.
local home = string.match(KEYS[1], '^(.*):due$') .. ':'

local bases = {}

-- The key prefix of a note's shard, which the first byte of its id is.
local function base_of(id)
  local byte = string.sub(id, 1, 2)
  local base = bases[byte]
  if not base then
    base = prefix .. '{s' .. tonumber(byte, 16) .. '}:'
    bases[byte] = base
  end
  return base
end

-- Counters are summed first and written once per field, however many notes a script handles: most
-- notes of a call count the same, so how often each list of counts came is all that is kept of it.
local tallies = {}
local sums = {}

local function sums_of(day)
  local fields = sums[day]
  if not fields then
    fields = {}
    sums[day] = fields
  end
  return fields
end

local function count(day, field, amount)
  local fields = sums_of(day)
  fields[field] = (fields[field] or 0) + amount
end

-- counts: `field:amount` words, a semicolon between them; '' for none.
local function tally(day, counts)
  if counts == '' then
    return
  end
  local times = tallies[day]
  if not times then
    times = {}
    tallies[day] = times
  end
  times[counts] = (times[counts] or 0) + 1
end

local function write_counters()
  for day, times in pairs(tallies) do
    for counts, repeated in pairs(times) do
      for field, amount in string.gmatch(counts, '([^:;]+):(%-?%d+)') do
        count(day, field, amount * repeated)
      end
    end
  end
  for day, fields in pairs(sums) do
    local key = home .. 'stat:' .. day
    for field, amount in pairs(fields) do
      if amount ~= 0 then
        redis.call('HINCRBY', key, field, amount)
      end
    end
    redis.call('EXPIRE', key, STATISTICS_KEEP_SECONDS)
  end
end

-- The due entries that a call alters, by shard and note: when it is due, false for no more. Written
-- once per shard, however many notes a script handles.
local due_entries = {}

local function set_due(base, id, due)
  local entries = due_entries[base]
  if not entries then
    entries = {}
    due_entries[base] = entries
  end
  entries[id] = due
end

local function write_due_entries()
  for base, entries in pairs(due_entries) do
    local added, removed = {}, {}
    for id, due in pairs(entries) do
      if due then
        added[#added + 1] = due
        added[#added + 1] = id
      else
        removed[#removed + 1] = id
      end
    end
    if #added > 0 then
      redis.call('ZADD', base .. 'due', unpack(added))
    end
    if #removed > 0 then
      redis.call('ZREM', base .. 'due', unpack(removed))
    end
  end
end

-- What the notes of a call have in common is gathered; each script ends with this.
local function write_gathered()
  write_due_entries()
  write_audit()
  write_counters()
end

-- Does the work of a script and writes what it gathered. An error half-way takes nothing back that was
-- done before it: that is due, audited and counted all the same.
local function do_and_write(work)
  local done, failure = pcall(work)
  write_gathered()
  if not done then
    error(failure, 0)
  end
end

-- A record in two parts, without the request between them: see note-record.ts.
local RECORD_PATTERN = '^([^\n]*\n[^\n]*\n)[^\n]*(\n=.*)$'

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
local function mark_pending(base, user, replay_id, seconds)
  local key = base .. 'pend:' .. user
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
local VERSION_BYTES = 16

-- Whether the note is still what the change that begins at `first` was decided on. The mark that a
-- state begins with stands nowhere else in a record without a request, so that no other number is
-- taken for a version.
local function is_unchanged(first, key)
  local from = ARGV[first + 2]
  local head = redis.call('GETRANGE', key, from, from + VERSION_BYTES)
  return string.match(head, '^=(%d+) ') == ARGV[first + 1]
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

-- The words of a note's state, in their order (see note-record.ts), for the few scripts that decide.
local VERSION, FENCE, STATUS, STAGE, ATTEMPT, LEASED_UNTIL, REPLAY_ID = 1, 2, 3, 4, 5, 6, 9
local CHANNEL = { websocket = 11, push = 12, sms = 13 }
local REPLY_TO = 14
local LAST_WORD = 14
local STATE_PATTERN = '^=' .. string.rep('(%S+) ', LAST_WORD - 1) .. '(%S+)\n()'
local FACTS_PATTERN = '^(%S+) (%S+) (%S+) (%S+) (%S+)'

-- Returns the words by position, with the other parts of the record; nil if there is none.
local function read_note(id)
  local base = base_of(id)
  local key = base .. 'rec:' .. id
  local record = redis.call('GET', key)
  if not record then
    return nil
  end
  local facts, request, state_at = string.match(record, '^([^\n]*\n[^\n]*)\n([^\n]*)\n()')
  local note = { string.match(record, STATE_PATTERN, state_at) }
  note.id, note.base, note.key = id, base, key
  note.facts, note.request, note.state_at = facts, request, state_at - 1
  note.bytes = #record
  local timeline_at = note[LAST_WORD + 1]
  local timeline_end = string.find(record, '\n\n', timeline_at, true)
  note.timeline = string.sub(record, timeline_at, timeline_end)
  note.push_outcomes = string.match(record, '^[^\n]*', timeline_end + 2)
  note.user, note.lane, note.day, note.caller, note.template = string.match(facts, FACTS_PATTERN)
  return note
end

local function state_text(note)
  note[VERSION] = note[VERSION] + 1
  local words = table.concat(note, ' ', 1, LAST_WORD)
  return '=' .. words .. '\n' .. note.timeline .. '\n' .. note.push_outcomes .. '\n'
end

-- Returns the state as it is now.
local function write_note(note)
  local text = state_text(note)
  if note.state_at + #text <= note.bytes then
    redis.call('SETRANGE', note.key, note.state_at, text)
  else
    -- Written beyond its end, a string would take twice as much as it must.
    local record = note.facts .. '\n' .. note.request .. '\n' .. text
    redis.call('SET', note.key, record, 'KEEPTTL')
  end
  return text
end

-- Nothing personal is kept longer than needed. Returns the record as it is now.
local function write_without_request(note)
  local record = note.facts .. '\n\n' .. state_text(note)
  redis.call('SET', note.key, record, 'KEEPTTL')
  return record
end

-- As audit.ts writes it.
local function audit_line(note, caller, action, result, channels)
  return table.concat(
    { now, action, result, note.id, caller, note.user, note.template, channels }, ' '
  )
end

local TERMINAL = {
  delivered = true,
  stored = true,
  failed = true,
  expired = true,
  cancelled = true,
  suppressed = true,
}

-- A channel's record is "state,reason,at,confirmed_at", a dash where there is none.
local function state_of(record)
  return string.match(record, '^[^,]+')
end

-- "websocket=delivered: push=skipped:not_needed", for the audit trail.
local function describe(note)
  local parts = {}
  for index, name in ipairs({ 'websocket', 'push', 'sms' }) do
    local state, reason = string.match(note[CHANNEL[name]], '^([^,]+),([^,]+)')
    parts[index] = name .. '=' .. state .. ':' .. (reason == '-' and '' or reason)
  end
  return table.concat(parts, ' ')
end

-- Ends a note that is scheduled and has not begun, as `cancel` in delivery/note-steps.ts does;
-- any other is left as it is.
local function cancel(id)
  local note = read_note(id)
  if not note or note[STATUS] ~= 'scheduled' then
    return
  end
  note[FENCE], note[STATUS], note[STAGE] = note[FENCE] + 1, 'cancelled', '-'
  for _, position in pairs(CHANNEL) do
    if state_of(note[position]) == 'pending' then
      note[position] = 'skipped,not_needed,' .. now .. ',-'
    end
  end
  note.timeline = note.timeline .. now .. ' - scheduled cancelled -\n'
  count(note.day, 'status.cancelled', 1)
  local record = write_without_request(note)
  redis.call('PEXPIRE', note.key, keep_ms)
  local line = audit_line(note, note.caller, 'settled', 'cancelled', describe(note))
  local reply_to = note[REPLY_TO] ~= '-' and note[REPLY_TO] or ''
  settle(note.base, id, 'cancelled', line, reply_to)
  tell('settled', note.base, id, record)
end
