-- The audit trail of the ledger's scripts: it is put in front of call.lua. The lines of a call are
-- written at its end, those of a shard together: on their own each costs Redis twice as much.
-- A stream's entry is `note`, lines as audit.ts writes them, oldest first.

-- So that an entry fits into a node of a stream (4 KB), and a reader knows what to expect.
local LINES_PER_ENTRY = 16

-- A shard's trail keeps at least its last 100,000 lines. MAXLEN counts entries, which bounds those of
-- one line. Lines that come together are counted: at every 1,000 of them a mark is set, and what is
-- older than the oldest mark needed goes. Single ones are not, as the count costs 2 us; so where both
-- come there may be 100,000 of each.
local AUDIT_KEPT_LINES = 100000
local LINES_PER_MARK = 1000
local MAX_MARKS = AUDIT_KEPT_LINES / LINES_PER_MARK + 1

local audit_lines = {}

-- line: what happened, as audit.ts writes it.
local function audit(base, line)
  local lines = audit_lines[base]
  if lines then
    lines[#lines + 1] = line
  else
    audit_lines[base] = { line }
  end
end

-- `id` is the latest of the trail.
local function set_mark(base, id)
  local marks = base .. 'audit-marks'
  if redis.call('RPUSH', marks, id) > MAX_MARKS then
    redis.call('XTRIM', base .. 'audit', 'MINID', '~', redis.call('LPOP', marks))
  end
end

local function write_audit()
  for base, lines in pairs(audit_lines) do
    local count, id = #lines, nil
    for first = 1, count, LINES_PER_ENTRY do
      local last = math.min(first + LINES_PER_ENTRY - 1, count)
      id = redis.call(
        'XADD', base .. 'audit', 'MAXLEN', '~', AUDIT_KEPT_LINES, '*',
        'note', table.concat(lines, '\n', first, last)
      )
    end
    if count > 1 and redis.call('INCRBY', base .. 'audit-lines', count) % LINES_PER_MARK < count then
      set_mark(base, id)
    end
  end
end
