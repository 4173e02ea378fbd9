-- Takes up a note that had settled, as the carrier of its SMS says that this did not arrive. What
-- becomes of it was decided on the note as it was read.
-- ARGV[5...]: the change, see `WireChange`; after it the note's request, sealed, or '' where it is not
-- needed or not kept; and the line for the audit trail, of a note that goes on.
-- Returns 1 if it was changed, 0 if it is not what it was.
local id = ARGV[5]
local due = ARGV[9]
local request, line = ARGV[5 + CHANGE_ARGUMENTS], ARGV[6 + CHANGE_ARGUMENTS]
local base = base_of(id)
local key = base .. 'rec:' .. id
if advance(5) == 0 then
  return 0
end

do_and_write(function()
  if request ~= '' then
    -- It was taken out when the note settled; to be sent again, the note needs it.
    local facts, state = string.match(redis.call('GET', key), '^([^\n]*\n[^\n]*\n)(\n.*)$')
    if facts then
      redis.call('SET', key, facts .. request .. state, 'KEEPTTL')
    end
  end
  if due ~= '' then
    redis.call('PERSIST', key)
    unbury(base, id)
    audit(base, line)
    tell('redriven', base, id)
  end
end)
return 1
