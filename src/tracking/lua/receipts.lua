-- Records what the recipient's side said: a message was written to a socket by a replay
-- ("delivered"), acknowledged ("confirmed"), or read elsewhere ("read"): that confirms what this channel
-- delivered, and keeps a socket from being sent it unasked; or what a provider said, that it has it
-- ("taken"). Saying so twice changes nothing.
-- ARGV[5...]: `id channel kind`, one argument each.
-- Returns, for each: 1 recorded, 0 nothing to record.
local REOPENED = { failed = true, stored = true, suppressed = true }

local function forget_pending(note)
  if note[REPLAY_ID] ~= '-' then
    redis.call('ZREM', note.base .. 'pend:' .. note.user, note[REPLAY_ID])
  end
end

-- Where nobody knows whether it was taken, or where it was thought not to have been sent yet.
local TAKEN_FROM = { pending = true, sending = true, unknown = true }

local function record(id, channel, kind)
  local note = read_note(id)
  if not note or note[STATUS] == 'expired' or note[STATUS] == 'cancelled' then
    return 0
  end
  local position = CHANNEL[channel]
  local before, reason, at = string.match(note[position], '^([^,]+),([^,]+),([^,]+)')
  if kind == 'read' then
    if before ~= 'delivered' then
      -- No frame of it is known to have reached a socket: nothing about this channel has changed.
      forget_pending(note)
      return 0
    end
    kind = 'confirmed'
  end
  if before == 'confirmed' or (before == 'delivered' and kind ~= 'confirmed') then
    return 0
  end
  if kind == 'taken' and not TAKEN_FROM[before] then
    return 0
  end
  -- A frame of it was sent by a Redis that was taken back since, or by a master that was replaced. It is
  -- sent anew, so that it has a place in the history as it is now; whoever has it shows it once.
  if channel == 'websocket' and before == 'pending' and note[STATUS] == 'queued'
    and note[REPLAY_ID] == '-' then
    return 0
  end

  local status, day = note[STATUS], note.day
  local late = REOPENED[status]
  if before ~= 'delivered' then
    note.timeline = note.timeline .. now .. ' ' .. channel .. ' ' .. before .. ' delivered -\n'
    at = now
    count(day, channel .. '.delivered', 1)
    if late then
      count(day, 'late', 1)
    end
    if before == 'failed' or before == 'unknown' then
      count(day, channel .. '.failed', -1)
    elseif reason == 'offline' then
      count(day, channel .. '.offline', -1)
    end
    if channel == 'websocket' then
      forget_pending(note)
    end
  end
  note[position] = 'delivered,-,' .. at .. ',-'
  if kind == 'confirmed' then
    note.timeline = note.timeline .. now .. ' ' .. channel .. ' delivered confirmed -\n'
    note[position] = 'confirmed,-,' .. at .. ',' .. now
    count(day, channel .. '.confirmed', 1)
  end

  if late then
    note[STATUS] = 'delivered'
    unbury(note.base, id)
    count(day, 'status.' .. status, -1)
    count(day, 'status.delivered', 1)
    audit(note.base, audit_line(note, note.caller, 'late', 'delivered', '-'))
  elseif status == 'queued' and note[STAGE] == channel then
    -- The step in flight was decided before this was known: its fence no longer holds, and the
    -- note is looked at again now.
    note[FENCE] = successor_of(note[FENCE])
    set_due(note.base, id, now)
  end
  if late then
    local kinds = kind == 'confirmed' and 'late,confirmed' or 'late'
    tell(kinds, note.base, id, write_without_request(note))
  else
    local state = write_note(note)
    if kind == 'confirmed' then
      tell('confirmed', note.base, id, note.facts .. '\n\n' .. state)
    end
  end
  return 1
end

local results = {}
do_and_write(function()
  for index = 5, #ARGV do
    results[index - 4] = record(string.match(ARGV[index], '^(%S+) (%S+) (%S+)$'))
  end
end)
return results
