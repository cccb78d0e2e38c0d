-- One question about one credential's record, answered as "<id> <answer>".
-- KEYS: the record. ARGV: id, question; and for "judge": step or "none", code, now or "clock", and the
-- policy. Steps and seconds are below 2^52, where Lua's numbers are exact.
local id, question = ARGV[1], ARGV[2]

-- The record is the text of record.rs: its format (1), last_step, last_code or -1, failures, locked_until,
-- lock_s, disabled, attempt, and "0 -" for what no record has yet.
local NEW = '1 -1 -1 0 0 0 0 0 0 -'
local kept = redis.call('GET', KEYS[1])
local last_step, last_code, failures, locked_until, lock_s, disabled, attempt =
  string.match(kept or NEW, '^1 (%-?%d+) (%-?%d+) (%d+) (%d+) (%d+) ([01]) (%d+) 0 %-$')
if not last_step then
  return redis.error_reply('FOREIGN not a record of this version')
end
last_step, failures = tonumber(last_step), tonumber(failures)
locked_until, lock_s = tonumber(locked_until), tonumber(lock_s)

local function record()
  return string.format('1 %.0f %s %.0f %.0f %.0f %s %s 0 -',
    last_step, last_code, failures, locked_until, lock_s, disabled, attempt)
end

-- Nothing expires that says something: a record with wrong codes never may, and a clean one outlasts
-- every clock's error.
local function keep()
  local text = record()
  if text == NEW then
    redis.call('SET', KEYS[1], text, 'PX', 1)
  else
    redis.call('SET', KEYS[1], text)
  end
end

if question == 'inspect' then
  return id .. ' ' .. record()
elseif question == 'reset' then
  if kept then
    failures, locked_until, lock_s, disabled, attempt = 0, 0, 0, '0', '0'
    keep()
  end
  return id .. ' ' .. record()
end

local step, code = tonumber(ARGV[3]), ARGV[4]
local now = tonumber(ARGV[5]) or tonumber(redis.call('TIME')[1])
local soft, hard, base_delay, max_delay = string.match(ARGV[6], '^(%d+) (%d+) (%d+) (%d+)$')
soft, hard, base_delay, max_delay =
  tonumber(soft), tonumber(hard), tonumber(base_delay), tonumber(max_delay)

local function verdict(name, number)
  return string.format('%s %s %.0f', id, name, number or 0)
end

local function verdict_on_wrong()
  if disabled == '1' then
    return verdict('disabled')
  elseif locked_until > now then
    return verdict('locked', locked_until - now)
  end
  return verdict('wrong')
end

-- Record::judge of state.rs, line for line.
local function judge()
  if id ~= '0' and id == attempt then
    return step and verdict('accepted') or verdict_on_wrong()
  end
  if disabled == '1' then
    return verdict('disabled')
  end
  locked_until = math.min(locked_until, now + lock_s)
  if locked_until > now then
    return verdict('throttled', locked_until - now)
  end
  if step and step > last_step then
    last_step, last_code, attempt = step, code, id
    failures, locked_until, lock_s, disabled = 0, 0, 0, '0'
    return verdict('accepted')
  elseif step or code == last_code then
    return verdict('reused', last_step)
  end
  attempt = id
  failures = failures + 1
  if failures >= hard then
    disabled = '1'
  elseif failures >= soft then
    lock_s = math.min(base_delay * 2 ^ (failures - soft), max_delay)
    locked_until = now + lock_s
  end
  return verdict_on_wrong()
end

-- Kept even when nothing has changed: time must not tell who is locked, or who has a record at all.
local answer = judge()
keep()
return answer
