-- One question about one record, answered as "<id> <answer>".
-- KEYS: the record. ARGV: id, question; and for "judge": what the code belongs to ("nothing", "old", "step FIRST
-- LAST", of which FIRST must not be used yet and LAST is the code's, or "number N"), the code and the key of
-- its request, now or "clock", and the policy. Seconds are below 2^52, where Lua's numbers are exact; counters
-- reach 2^63, so steps stay as they are written.
local id, question = ARGV[1], ARGV[2]

-- The record is the text of record.rs: its format (1, or 2 for what 1 cannot say), last_step, last_code or
-- -1, failures, locked_until, lock_s, disabled, attempt, used (the bits of recovery codes), and the last
-- request that may be repeated.
local NEW = '1 -1 -1 0 0 0 0 0 0 -'
local kept = redis.call('GET', KEYS[1])
local format, last_step, last_code, failures, locked_until, lock_s, disabled, attempt, used, retry =
  string.match(kept or NEW, '^([12]) (%-?%d+) (%-?%d+) (%d+) (%d+) (%d+) ([01]) (%d+) (%d+) (%S+)$')
local retry_key, accepted_at, repeated = string.match(retry or '', '^(%x+):(%d+):(%d+)$')
local is_format_1 = used == '0' and retry == '-'
if is_format_1 ~= (format == '1') or not (retry == '-' or retry_key) then
  return redis.error_reply('FOREIGN not a record of this version')
end
failures, used = tonumber(failures), tonumber(used)
locked_until, lock_s = tonumber(locked_until), tonumber(lock_s)
accepted_at, repeated = tonumber(accepted_at), tonumber(repeated)

local function record()
  local retry = '-'
  if retry_key then
    retry = string.format('%s:%.0f:%.0f', retry_key, accepted_at, repeated)
  end
  local format = (used == 0 and not retry_key) and '1' or '2'
  return string.format('%s %s %s %.0f %.0f %.0f %s %s %.0f %s', format,
    last_step, last_code, failures, locked_until, lock_s, disabled, attempt, used, retry)
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

local matched, number, last = string.match(ARGV[3], '^(%l+) ?(%d*) ?(%d*)$')
local code, key = string.match(ARGV[4], '^(%d+) (%S+)$')
local now = tonumber(ARGV[5]) or tonumber(redis.call('TIME')[1])
local soft, hard, base_delay, max_delay, ttl, limit =
  string.match(ARGV[6], '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
soft, hard, base_delay, max_delay, ttl, limit = tonumber(soft), tonumber(hard), tonumber(base_delay),
  tonumber(max_delay), tonumber(ttl), tonumber(limit)

local function verdict(name, number)
  return string.format('%s %s %.0f', id, name, number or 0)
end

local function verdict_on_reused()
  return string.format('%s reused %s', id, last_step)
end

local function is_after_last_step(number)
  return last_step == '-1' or #number > #last_step or (#number == #last_step and number > last_step)
end

local function verdict_on_wrong()
  if disabled == '1' then
    return verdict('disabled')
  elseif locked_until > now then
    return verdict('locked', locked_until - now)
  end
  return verdict('wrong')
end

local function is_last_request()
  return retry_key and retry_key == key and code == last_code
end

local function verdict_on_repeated()
  return string.format('%s repeated %s %.0f', id, last_step, accepted_at)
end

-- Record::repeat of state.rs, whose limits are 0 where nothing may be repeated.
local function may_repeat()
  return is_last_request() and math.abs(now - accepted_at) <= ttl and repeated < limit
end

local function is_used(number)
  number = tonumber(number)
  return math.floor(used / 2 ^ (number - 1)) % 2 == 1
end

-- Record::judge of state.rs, line for line.
local function judge()
  if id ~= '0' and id == attempt then
    if is_last_request() and repeated > 0 then
      return verdict_on_repeated()
    elseif matched == 'step' or matched == 'number' then
      return verdict('accepted', used)
    end
    return verdict_on_wrong()
  end
  if disabled == '1' then
    return verdict('disabled')
  end
  locked_until = math.min(locked_until, now + lock_s)
  if locked_until > now then
    return verdict('throttled', locked_until - now)
  end
  if may_repeat() then
    attempt, repeated = id, repeated + 1
    return verdict_on_repeated()
  end
  if matched == 'step' and is_after_last_step(number) then
    last_step, last_code, attempt = last, code, id
    failures, locked_until, lock_s, disabled = 0, 0, 0, '0'
    retry_key = nil
    if limit > 0 and key ~= '-' then
      retry_key, accepted_at, repeated = key, now, 0
    end
    return verdict('accepted', used)
  elseif matched == 'number' and not is_used(number) then
    used, attempt = used + 2 ^ (tonumber(number) - 1), id
    failures, locked_until, lock_s, disabled = 0, 0, 0, '0'
    return verdict('accepted', used)
  elseif matched ~= 'nothing' or code == last_code then
    return verdict_on_reused()
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
