-- Which header names belong to us or to the gateway, in whatever spelling: a client's own must not reach a backend.

local byte, find, gsub, lower, sub = string.byte, string.find, string.gsub, string.lower, string.sub

local names = {}

--- What we alone tell backends. No answer carries them either.
names.IDENTITY = {
  "x-tenant-id",
  "x-tenant-plan",
  "x-user-id",
  "x-user-roles",
  "x-user-scopes",
  "x-tenantgate-upstream",
  "x-tenantgate-variant",
}

-- Backends that obey one of these serve another host, path, method or address than the one that was decided about.
local FOREIGN = {
  ["forwarded"] = true,
  ["x-forwarded-host"] = true,
  ["x-forwarded-prefix"] = true,
  ["x-forwarded-uri"] = true,
  ["x-forwarded-path"] = true,
  ["x-forwarded-method"] = true,
  ["x-forwarded-server"] = true,
  ["x-forwarded-port"] = true,
  ["x-rewrite-url"] = true,
  ["x-host"] = true,
  ["x-real-ip"] = true,
  ["x-method"] = true,
  ["x-http-method"] = true,
  ["x-method-override"] = true,
  ["x-http-method-override"] = true,
}

-- Kong writes these itself, and overwrites a client's copy, but not its twin with underscores.
local KONGS_OWN = {
  ["x-forwarded-for"] = true,
  ["x-forwarded-proto"] = true,
  ["x-request-id"] = true,
  ["x-kong-request-id"] = true,
}

-- What Kong's authentication plugins tell backends.
local CONSUMER = {
  ["x-credential-identifier"] = true,
  ["x-anonymous-consumer"] = true,
  ["x-authenticated-groups"] = true,
}

local function begins(name, prefix)
  return sub(name, 1, #prefix) == prefix
end

--- How CGI-like backends read a name: hyphens and underscores are one.
local function folded(name)
  name = lower(name)
  return find(name, "_", 1, true) and gsub(name, "_", "-") or name
end

local function is_ours(name)
  return begins(name, "x-tenant-") or begins(name, "x-user-") or begins(name, "x-tenantgate-")
end

local function is_consumers(name)
  return begins(name, "x-consumer-") or CONSUMER[name] == true
end

--- Whether a client's header of this name, in lower case, is taken away. `with_consumer`: also what names a Kong consumer; of that
--- the twins with underscores go in any case, since no plugin of Kong's writes them.
function names.is_stripped(name, with_consumer)
  local first = byte(name)
  -- x and f: nearly every other header is told apart by one byte
  if first ~= 120 and first ~= 102 then
    return false
  end
  local plain = folded(name)
  return is_ours(plain)
    or FOREIGN[plain] == true
    or begins(plain, "x-original-")
    or (plain ~= name and KONGS_OWN[plain] == true)
    or ((with_consumer or plain ~= name) and is_consumers(plain))
end

--- Whether a client must not have Kong clear this header on the way to the backend by naming it in `Connection`.
function names.is_kept(name)
  local plain = folded(name)
  return is_ours(plain) or is_consumers(plain) or FOREIGN[plain] == true or KONGS_OWN[plain] == true
end

return names
