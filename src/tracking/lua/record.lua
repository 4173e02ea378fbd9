-- Reads and writes whole notes, for the few scripts that decide. change.lua stands in front of it.

-- The words of a note's state, in their order (see note-record.ts).
local VERSION, FENCE, STATUS, STAGE, ATTEMPT, LEASED_UNTIL, REPLAY_ID = 1, 2, 3, 4, 5, 6, 9
local CHANNEL = { websocket = 11, push = 12, sms = 13 }
local REPLY_TO = 14
local LAST_WORD = 14
-- Behind the mark of its form (see versions.ts).
local STATE_PATTERN = '^' .. string.rep('(%S+) ', LAST_WORD - 1) .. '(%S+)\n()'
local FACTS_PATTERN = '^(%S+) (%S+) (%S+) (%S+) (%S+)'

local UNNUMBERED_MARK = string.byte('=')

-- Where the words of a state begin, and the mark in front of them; nil if a newer version wrote it.
local function words_after_mark(record, state_at)
  if string.byte(record, state_at) == UNNUMBERED_MARK then
    return state_at + 1, '='
  end
  local digits, words_at = string.match(record, '^(%d+)=()', state_at)
  if digits and tonumber(digits) <= newest_format then
    return words_at, digits .. '='
  end
end

-- Returns the words by position, with the other parts of the record; nil if there is none. Nil and true:
-- there is one, which a newer version wrote in a form that this one cannot read. It is left alone.
local function read_note(id)
  local base = base_of(id)
  local key = base .. 'rec:' .. id
  local record = redis.call('GET', key)
  if not record then
    return nil
  end
  local facts, request, state_at = string.match(record, '^([^\n]*\n[^\n]*)\n([^\n]*)\n()')
  local words_at, mark = words_after_mark(record, state_at)
  if not words_at then
    return nil, true
  end
  local note = { string.match(record, STATE_PATTERN, words_at) }
  note.mark = mark
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

-- As `successorOf` in ledger-changes.ts has it.
local function successor_of(before)
  return math.max(before + 1, tonumber(now))
end

local function state_text(note)
  note[VERSION] = successor_of(note[VERSION])
  local words = table.concat(note, ' ', 1, LAST_WORD)
  return note.mark .. words .. '\n' .. note.timeline .. '\n' .. note.push_outcomes .. '\n'
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
  note[FENCE], note[STATUS], note[STAGE] = successor_of(note[FENCE]), 'cancelled', '-'
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
