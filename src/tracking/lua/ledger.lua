-- Shared by the ledger's scripts: it is put in front of each of them.
-- ARGV[1] is the shard's key prefix, ARGV[2] the time in epoch milliseconds (from the caller's
-- clock, so that tests can turn it), ARGV[3] how long a settled note is kept, in milliseconds,
-- ARGV[4] 1 if other services are told what became of notes.
local base = ARGV[1]
local now = tonumber(ARGV[2])
local keep_ms = tonumber(ARGV[3])
local outcomes = ARGV[4] == '1'

local AUDIT_MAX_ENTRIES = 100000
local STATISTICS_KEEP_SECONDS = 400 * 86400

local TERMINAL = {
  delivered = true,
  stored = true,
  failed = true,
  expired = true,
  cancelled = true,
  suppressed = true,
}

-- Counters are summed first and written once per field, however many notes a script handles.
local sums = {}

local function count(day, field, amount)
  local fields = sums[day]
  if not fields then
    fields = {}
    sums[day] = fields
  end
  fields[field] = (fields[field] or 0) + amount
end

local function count_all(day, fields)
  for index = 1, #fields, 2 do
    count(day, fields[index], fields[index + 1])
  end
end

local function write_counters()
  for day, fields in pairs(sums) do
    local key = base .. 'stat:' .. day
    for field, amount in pairs(fields) do
      if amount ~= 0 then
        redis.call('HINCRBY', key, field, amount)
      end
    end
    redis.call('EXPIRE', key, STATISTICS_KEEP_SECONDS)
  end
end

local function audit(fields)
  redis.call('XADD', base .. 'audit', 'MAXLEN', '~', AUDIT_MAX_ENTRIES, '*', 'at', now, unpack(fields))
end

-- A channel's record is "state reason at confirmed_at", a dash where there is none.
local function state_of(record)
  return string.match(record or '', '^%S+') or 'pending'
end

local function reached(record)
  local state = state_of(record)
  return state == 'delivered' or state == 'confirmed'
end

-- "websocket=delivered: push=skipped:not_needed", for the audit trail.
local function describe(records)
  local parts = {}
  for index, name in ipairs({ 'websocket', 'push', 'sms' }) do
    local state, reason = string.match(records[index], '^(%S+) (%S+)')
    parts[index] = name .. '=' .. state .. ':' .. (reason == '-' and '' or reason)
  end
  return table.concat(parts, ' ')
end

-- What an outcome holds of its note. A field that the note lacks is left out.
local OUTCOME_FIELDS = {
  'user', 'template', 'type', 'caller', 'correlation', 'event', 'accepted_at', 'replay_id', 'status',
  'websocket', 'push', 'sms',
}

-- Puts down what other services are to hear, in the same step as the change itself; the relay sends
-- it and only then takes it away. So nothing is cut off here, however long that takes.
local function tell(kind, id)
  if not outcomes then
    return
  end
  local note = redis.call('HMGET', base .. 'note:' .. id, unpack(OUTCOME_FIELDS))
  local entry = { 'outcome', kind, 'id', id, 'at', now }
  for index, field in ipairs(OUTCOME_FIELDS) do
    if note[index] then
      entry[#entry + 1] = field
      entry[#entry + 1] = note[index]
    end
  end
  redis.call('XADD', base .. 'outcomes', '*', unpack(entry))
end

-- Failed notes by when they failed. One that is older than notes are kept is there no more.
local function bury(id)
  local key = base .. 'dead'
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - keep_ms)
  redis.call('ZADD', key, now, id)
end

local function unbury(id)
  redis.call('ZREM', base .. 'dead', id)
end

local advance

-- Ends a note that is scheduled and has not begun, as `cancel` in delivery/note-steps.ts does;
-- any other is left as it is.
local function cancel(id)
  local note = redis.call(
    'HMGET', base .. 'note:' .. id, 'status', 'fence', 'caller', 'user', 'template', 'websocket', 'push', 'sms'
  )
  if note[1] ~= 'scheduled' then
    return
  end
  local set = { 'status', 'cancelled', 'stage', '-' }
  for index, name in ipairs({ 'websocket', 'push', 'sms' }) do
    if state_of(note[5 + index]) == 'pending' then
      set[#set + 1] = name
      set[#set + 1] = 'skipped not_needed ' .. now .. ' -'
    end
  end
  advance({
    id = id,
    fence = tonumber(note[2]),
    expect = 'scheduled',
    set = set,
    lines = now .. ' - scheduled cancelled -\n',
    counts = {},
    latency = {},
    audit = { 'notification_id', id, 'caller', note[3], 'user_id', note[4], 'template_id', note[5] },
  })
end

-- The last step of a note. What it became is read from the note itself: a receipt may have arrived
-- since the decision was made, and whoever was reached, was reached.
local function settle(key, change, day)
  local final = redis.call('HMGET', key, 'status', 'websocket', 'push', 'sms', 'reply_to', 'warning')
  local status = final[1]
  if reached(final[2]) or reached(final[3]) or reached(final[4]) then
    status = 'delivered'
    count_all(day, change.latency)
  end
  redis.call('HSET', key, 'status', status)
  count(day, 'status.' .. status, 1)
  if status == 'failed' then
    bury(change.id)
  else
    redis.call('HDEL', key, 'request')
  end
  redis.call('ZREM', base .. 'due', change.id)
  redis.call('PEXPIRE', key, keep_ms)
  audit({
    'action', 'settled', 'result', status,
    'channels', describe({ final[2], final[3], final[4] }), unpack(change.audit)
  })
  tell('settled', change.id)
  if final[5] then
    redis.call('SPUBLISH', base .. 'reply:' .. final[5], change.id)
  end
  -- What was never asked needs no warning that the time for its answer runs out.
  if status == 'cancelled' and final[6] then
    cancel(final[6])
  end
end

-- Applies one change if the note is still what the decision was made on: the fence is the proof.
-- A change names only the fields it alters, so that what a receipt wrote meanwhile stays.
-- Returns 1 if applied, 0 if the note has moved on.
advance = function(change)
  local key = base .. 'note:' .. change.id
  local current = redis.call('HMGET', key, 'fence', 'status', 'day', 'timeline')
  if not current[1] or tonumber(current[1]) ~= change.fence or TERMINAL[current[2]] then
    return 0
  end
  if current[2] ~= change.expect then
    return 0
  end
  local timeline = (current[4] or '') .. change.lines
  redis.call('HSET', key, 'fence', change.fence + 1, 'timeline', timeline, unpack(change.set))
  count_all(current[3], change.counts)
  if change.reached then
    redis.call('ZREM', base .. 'pend:' .. change.reached[1], change.reached[2])
  end
  if change.due then
    redis.call('ZADD', base .. 'due', change.due, change.id)
  else
    settle(key, change, current[3])
  end
  return 1
end
