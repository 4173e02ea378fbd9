-- Moves notes on: a claim, a step to the next stage, a wait, or settling.
-- ARGV[5...]: changes, see `WireChange`.
-- Returns, for each: 1 applied, 0 the note is not what it was.
local results = {}
do_and_write(function()
  for first = 5, #ARGV, CHANGE_ARGUMENTS do
    results[#results + 1] = advance(first)
  end
  -- What was never asked needs no warning that the time for its answer runs out.
  for first = 5, #ARGV, CHANGE_ARGUMENTS do
    if ARGV[first + 8] == 'cancelled' and results[(first - 5) / CHANGE_ARGUMENTS + 1] == 1 then
      local warning = redis.call('GET', base_of(ARGV[first]) .. 'warning:' .. ARGV[first])
      if warning then
        cancel(warning)
      end
    end
  end
end)
return results
