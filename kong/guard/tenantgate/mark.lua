-- A plugin's mark on an allowed request. What is not exactly as agreed is no mark.

local cjson = require "cjson.safe"

local mark = {}

local function is_text_or_nothing(value)
  return value == nil or (type(value) == "string" and value ~= "")
end

--- Text by text.
local function is_headers(value)
  if type(value) ~= "table" then
    return false
  end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then
      return false
    end
  end
  return true
end

--- A list of texts.
local function is_names(value)
  if type(value) ~= "table" then
    return false
  end
  for index, name in pairs(value) do
    if type(index) ~= "number" or type(name) ~= "string" then
      return false
    end
  end
  return true
end

local function is_caller(value)
  if value == nil then
    return true
  end
  return type(value) == "table"
    and is_text_or_nothing(value.consumer)
    and type(value.standIn) == "table"
    and type(value.standIn.id) == "string"
    and type(value.standIn.username) == "string"
    and type(value.standIn.custom_id) == "string"
    and type(value.credential) == "table"
    and type(value.credential.id) == "string"
end

--- The mark of this stage on this request, or nil and why there is none.
function mark.read(stage, id)
  local text = kong.ctx.shared["tenantgate_" .. stage]
  if type(text) ~= "string" then
    return nil, "no mark"
  end
  local found = cjson.decode(text)
  if type(found) ~= "table" then
    return nil, "a mark that is no JSON object"
  end
  if found.id ~= id or found.stage ~= stage then
    return nil, "a mark of another request or stage"
  end
  local is_whole = is_headers(found.set)
    and is_names(found.remove)
    and is_headers(found.answer)
    and is_text_or_nothing(found.upstream)
    and is_text_or_nothing(found.fallback)
    and is_caller(found.caller)
  if not is_whole then
    return nil, "a mark that lacks something"
  end
  return found
end

return mark
