-- Puts one tenant in the place of what it was, or as a new one, or takes it away, unless others have names of it or it was changed meanwhile.
-- KEYS: head, changes, issued, then of the live generation tenants, keys, keys-of, names, hosts, certificates, certificate-names.
-- ARGV: channel; number of that generation; id; the tenant's revision as it was read, 0 for none; its text (`writeTenant`), '' to
-- take it away; its certificates as text, '' for none; JSON of what it has now and had not before, and the other way round: { claimed, released },
-- each of { names, hosts, certificates: lists; keys: text by hash }.
local HEAD, CHANGES, ISSUED, TENANTS, OF_KEYS, KEYS_OF = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local NAMED = { names = KEYS[7], hosts = KEYS[8], certificates = KEYS[10] }
local CERTIFICATES = KEYS[9]
local channel, generation, id, seen, text, certificates = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local change = cjson.decode(ARGV[7])

local function fieldOf(stored, field)
  return stored and cjson.decode(stored)[field]
end

if redis.call('HGET', HEAD, 'generation') ~= generation then return { 'changed' } end
if (fieldOf(redis.call('HGET', TENANTS, id), 'revision') or 0) ~= seen then return { 'changed' } end

local taken = {}
local function claim(kind, name, owner)
  if owner and owner ~= id then
    taken[#taken + 1] = kind
    taken[#taken + 1] = name
    taken[#taken + 1] = owner
  end
end
if seen == 0 then claim('id', id, redis.call('HGET', NAMED.names, id)) end
for kind, key in pairs(NAMED) do
  for _, name in ipairs(change.claimed[kind]) do claim(kind, name, redis.call('HGET', key, name)) end
end
for _, name in ipairs(change.claimed.names) do
  if redis.call('HEXISTS', TENANTS, name) == 1 then claim('names', name, name) end
end
for hash in pairs(change.claimed.keys) do
  claim('keys', hash, fieldOf(redis.call('HGET', OF_KEYS, hash), 'tenant'))
  claim('keys', hash, fieldOf(redis.call('HGET', ISSUED, hash), 'tenant'))
end
if #taken > 0 then return { 'taken', taken } end

local edition = count(HEAD, 'edition')
local revision = count(HEAD, 'revision')
if text == '' then redis.call('HDEL', TENANTS, id) else
  redis.call('HSET', TENANTS, id, '{"revision":' .. edition .. ',' .. string.sub(text, 2))
end
for kind, key in pairs(NAMED) do
  for _, name in ipairs(change.released[kind]) do redis.call('HDEL', key, name) end
  for _, name in ipairs(change.claimed[kind]) do redis.call('HSET', key, name, id) end
end
if certificates == '' then redis.call('HDEL', CERTIFICATES, id) else redis.call('HSET', CERTIFICATES, id, certificates) end
for hash in pairs(change.released.keys) do
  redis.call('HDEL', OF_KEYS, hash)
  redis.call('ZREM', KEYS_OF, id .. ':' .. hash)
  note(CHANGES, 'key', hash, revision)
end
for hash, key in pairs(change.claimed.keys) do
  redis.call('HSET', OF_KEYS, hash, key)
  redis.call('ZADD', KEYS_OF, 0, id .. ':' .. hash)
  note(CHANGES, 'key', hash, revision)
end
redis.call('PUBLISH', channel, note(CHANGES, 'tenant', id, revision))
return { 'done', edition }
