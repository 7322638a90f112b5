-- Stands in for lua-cjson's cjson.safe: the same texts from the same values, and nil with a reason instead of an error.

local byte, char, find, format, gsub, match, sub = string.byte, string.char, string.find, string.format, string.gsub, string.match, string.sub

local json = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

-- Bytes above ASCII stay as they are, valid UTF-8 or not.
local function text_of(value)
  return '"' .. gsub(value, '[%c"\\/\127]', function(c)
    return ESCAPES[c] or format("\\u%04x", byte(c))
  end) .. '"'
end

local encode_value

local function encode_table(value, depth)
  if depth > 1000 then error("Cannot serialise, excessive depth", 0) end
  local parts = {}
  if #value > 0 then
    for key in pairs(value) do
      if type(key) ~= "number" then error("Cannot serialise table: mixed keys", 0) end
    end
    for index = 1, #value do parts[index] = encode_value(value[index], depth + 1) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do
    if type(key) ~= "string" then error("Cannot serialise table: key must be a text", 0) end
    parts[#parts + 1] = text_of(key) .. ":" .. encode_value(item, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value, depth)
  local kind = type(value)
  if value == json.null or value == nil then return "null" end
  if kind == "string" then return text_of(value) end
  if kind == "number" then return format("%.14g", value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then return encode_table(value, depth) end
  error("Cannot serialise " .. kind .. ": type not supported", 0)
end

local function utf8_of(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64, 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function fault(at) error("Expected value but found invalid token at character " .. at, 0) end

local function decode_text(text, at)
  local parts = {}
  while true do
    local from, to = find(text, '^[^"\\%c]+', at)
    if from then
      parts[#parts + 1] = sub(text, from, to)
      at = to + 1
    end
    local c = sub(text, at, at)
    if c == '"' then return table.concat(parts), at + 1 end
    if c ~= "\\" then fault(at) end
    local escape = sub(text, at + 1, at + 1)
    if escape == "u" then
      local high = tonumber(match(text, "^%x%x%x%x", at + 2) or fault(at), 16)
      at = at + 6
      if high >= 0xD800 and high < 0xDC00 then
        local low = tonumber(match(text, "^\\u(%x%x%x%x)", at) or fault(at), 16)
        high = 0x10000 + (high - 0xD800) * 1024 + (low - 0xDC00)
        at = at + 6
      end
      parts[#parts + 1] = utf8_of(high)
    else
      parts[#parts + 1] = UNESCAPES[escape] or fault(at)
      at = at + 2
    end
  end
end

local function skip(text, at) return find(text, "[^ \t\r\n]", at) or #text + 1 end

local decode_value

local function decode_members(text, at, closing, read)
  at = skip(text, at)
  if sub(text, at, at) == closing then return at + 1 end
  while true do
    at = skip(text, read(skip(text, at)))
    local c = sub(text, at, at)
    if c == closing then return at + 1 end
    if c ~= "," then fault(at) end
    at = at + 1
  end
end

local CONSTANTS = { ["true"] = true, ["false"] = false, ["null"] = json.null }

function decode_value(text, at)
  local c = sub(text, at, at)
  if c == '"' then return decode_text(text, at + 1) end
  if c == "{" then
    local object = {}
    return object, decode_members(text, at + 1, "}", function(from)
      if sub(text, from, from) ~= '"' then fault(from) end
      local key, behind = decode_text(text, from + 1)
      behind = skip(text, behind)
      if sub(text, behind, behind) ~= ":" then fault(behind) end
      object[key], behind = decode_value(text, skip(text, behind + 1))
      return behind
    end)
  end
  if c == "[" then
    local list = {}
    return list, decode_members(text, at + 1, "]", function(from)
      local item, behind = decode_value(text, from)
      list[#list + 1] = item
      return behind
    end)
  end
  local word = match(text, "^%a+", at)
  if word and CONSTANTS[word] ~= nil then return CONSTANTS[word], at + #word end
  local number = match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  if not number or not tonumber(number) then fault(at) end
  return tonumber(number), at + #number
end

function json.encode(value)
  local ok, text = pcall(encode_value, value, 0)
  if ok then return text end
  return nil, text
end

function json.decode(text)
  local ok, value, at = pcall(function()
    if type(text) ~= "string" then error("bad argument #1 to 'decode'", 0) end
    local value, behind = decode_value(text, skip(text, 1))
    return value, skip(text, behind)
  end)
  if not ok then return nil, value end
  if at <= #text then return nil, "Expected the end but found invalid token at character " .. at end
  return value
end

return json
