-- Which header names belong to us or to the gateway, in whatever spelling: a client's own must not reach a backend.

local byte, find, gsub, lower, sub = string.byte, string.find, string.gsub, string.lower, string.sub

local names = {}

-- Backends that obey one of these serve another host, path, method, address or holder of a certificate than the one that was
-- decided about.
local FOREIGN = {
  ["forwarded"] = true,
  ["x-forwarded-client-cert"] = true,
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

-- What Kong's authentication plugins write or clear, each of them.
local WRITTEN = {
  ["x-consumer-id"] = true,
  ["x-consumer-custom-id"] = true,
  ["x-consumer-username"] = true,
  ["x-credential-identifier"] = true,
  ["x-anonymous-consumer"] = true,
}

-- What `Connection` says of the connection itself.
local OPTIONS = {
  ["close"] = true,
  ["keep-alive"] = true,
  ["upgrade"] = true,
  ["te"] = true,
  ["http2-settings"] = true,
}

-- Without these a request is another one, or two.
local FRAMING = {
  ["connection"] = true,
  ["content-length"] = true,
  ["content-type"] = true,
  ["host"] = true,
  ["transfer-encoding"] = true,
}

local function begins(name, prefix)
  return sub(name, 1, #prefix) == prefix
end

--- How CGI-like backends read a name: hyphens and underscores are one.
local function folded(name)
  name = lower(name)
  return find(name, "_", 1, true) and gsub(name, "_", "-") or name
end

--- What we alone tell backends, by names of ours or of the policy. No answer carries them either.
function names.is_ours(name)
  return begins(name, "x-tenant-") or begins(name, "x-user-") or begins(name, "x-tenantgate-")
end

local function is_consumers(name)
  return begins(name, "x-consumer-") or WRITTEN[name] == true or name == "x-authenticated-groups"
end

--- Whether a client's header of this name, in lower case, is taken away. `is_authenticated`: an earlier plugin of Kong's has
--- written, or cleared, what it tells of the consumer; it writes none of the others, and no twin with underscores.
function names.is_stripped(name, is_authenticated)
  local first = byte(name)
  -- x and f: nearly every other header is told apart by one byte
  if first ~= 120 and first ~= 102 then
    return false
  end
  local plain = folded(name)
  return names.is_ours(plain)
    or FOREIGN[plain] == true
    or begins(plain, "x-original-")
    or (plain ~= name and KONGS_OWN[plain] == true)
    or (is_consumers(plain) and not (is_authenticated and WRITTEN[name]))
end

--- Whether `Connection` says something of the connection by this word, and names no header.
function names.is_connection_option(word)
  return OPTIONS[lower(word)] == true
end

--- Whether a client must not have this header cleared on the way to the backend by naming it in `Connection`.
function names.is_kept(name)
  local plain = folded(name)
  return FRAMING[plain] == true
    or names.is_ours(plain)
    or is_consumers(plain)
    or FOREIGN[plain] == true
    or KONGS_OWN[plain] == true
end

return names
