-- Moves notes on: a claim, a step to the next stage, a wait, or settling.
-- ARGV[5]: JSON list of changes {id, fence, expect, set, lines, counts, due?, reached?}, and
-- for those that settle the note also {latency, audit}.
-- Returns, for each: 1 applied, 0 the note had moved on.
local results = {}
for index, change in ipairs(cjson.decode(ARGV[5])) do
  results[index] = advance(change)
end
write_counters()
return results
