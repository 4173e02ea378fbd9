-- What all scripts of the ledger begin with: their common arguments, and what a call gathers to write
-- at its end. audit.lua stands in front of it.
-- ARGV[1] is the prefix of all keys, ARGV[2] the time in epoch milliseconds (from the caller's
-- clock, so that tests can turn it), ARGV[3] how long a settled note is kept, in milliseconds,
-- ARGV[4] two numbers: 1 if other services are told what became of notes, else 0; and the newest form
-- of a note that the caller's version reads.
-- One call handles notes of one shard in a Redis Cluster, of any shard otherwise: a note's id begins
-- with its shard, and KEYS[1] is the due index of the first one's.
local prefix = ARGV[1]
local now = ARGV[2]
local keep_ms = ARGV[3]
local told_flag, newest_format = string.match(ARGV[4], '^(%d) (%d+)$')
local outcomes = told_flag == '1'
newest_format = tonumber(newest_format)

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
    -- What Redis refused arrives here as a text that begins with a code, by which the caller tells a
    -- full or read-only server from a bug. Raised as a text it would get another code in front of it.
    local is_reply = type(failure) == 'string' and string.find(failure, '^%u+ ')
    error(is_reply and { err = failure } or failure, 0)
  end
end
