-- Takes a failed note up again. Which channels are open once more was decided on the note as it was
-- read.
-- ARGV[5...]: the change, see `WireChange`; after it the line for the audit trail.
-- Returns 1 if it is on its way again, 0 if it is not what it was.
local id = ARGV[5]
local base = base_of(id)
local key = base .. 'rec:' .. id
local note = read_note(id)
if not note or note.request == '' or advance(5) == 0 then
  return 0
end

do_and_write(function()
  redis.call('PERSIST', key)
  if state_of(read_note(id)[CHANNEL.websocket]) == 'pending' and note[REPLAY_ID] ~= '-' then
    -- It gets another place in the history: at this one it is no longer missed.
    mark_pending(base, note.user, note[REPLAY_ID], '0')
  end
  unbury(base, id)
  audit(base, ARGV[5 + CHANGE_ARGUMENTS])
  tell('redriven', base, id)
end)
return 1
