package online

import "github.com/redis/go-redis/v9"

// Lua's own < compares strings by the locale that the server was started in, and numbers lose precision beyond 2^53, so orders are compared
// byte by byte. The loop ends at the first difference and was as fast as struct.unpack or one string.byte of eight bytes.
const luaOlder = `
local byte, sub, find, call, pcall = string.byte, string.sub, string.find, redis.call, redis.pcall
local function older(a, b, n)
  for i = 1, n do
    local x, y = byte(a, i), byte(b, i)
    if x ~= y then return x < y end
  end
  return false
end
`

// packedScript writes KEYS[i] = ARGV[2i-1] (order, then value) with a TTL of ARGV[2i] ms (0: none) and returns how many were not older.
// Only the stored order is read, not the value. The type error of a key in the hash format is met on the error path, so the
// usual case pays nothing for it.
var packedScript = redis.NewScript(luaOlder + `
local applied = 0
for i = 1, #KEYS do
  local key, value, ttl = KEYS[i], ARGV[2*i-1], ARGV[2*i]
  local old = pcall('GETRANGE', key, 0, 15)
  if type(old) == 'table' then
    if not find(old.err, 'WRONGTYPE', 1, true) then return old end
    old = string.gsub(call('HGET', key, '_order') or '', '%x%x', function(h) return string.char(tonumber(h, 16)) end)
  end
  if #old < 16 or not older(value, old, 16) then
    if ttl == '0' then call('SET', key, value) else call('SET', key, value, 'PX', ttl) end
    applied = applied + 1
  end
end
return applied`)

// hashScript writes one hash: ARGV = order in hexadecimal, TTL in ms, name, text, name, text, ... It deletes first, so a field that
// has become null is gone. unpack is given 2,000 arguments at most: Lua's stack ends at 8,000.
var hashScript = redis.NewScript(luaOlder + `
local key, order, ttl = KEYS[1], ARGV[1], ARGV[2]
local old = pcall('HGET', key, '_order')
if type(old) == 'table' then
  if not find(old.err, 'WRONGTYPE', 1, true) then return old end
  old = string.gsub(call('GETRANGE', key, 0, 15), '.', function(c) return string.format('%02x', byte(c)) end)
end
if old and #old == 32 and older(order, old, 32) then return 0 end
call('DEL', key)
call('HSET', key, '_order', order)
for i = 3, #ARGV, 2000 do call('HSET', key, unpack(ARGV, i, math.min(i + 1999, #ARGV))) end
if ttl ~= '0' then call('PEXPIRE', key, ttl) end
return 1`)
