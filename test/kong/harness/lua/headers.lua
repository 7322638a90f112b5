-- Header fields as nginx keeps them: a list of names and values in the order and spelling that they came in.

local gsub, lower = string.gsub, string.lower

local headers = {}

local function same(a, b) return lower(a) == lower(b) end

--- As `ngx.req.get_headers`: names in lower case, repeats as lists, no more than `max`; "truncated" where there are more.
function headers.read(list, max)
  local read = {}
  for index, field in ipairs(list) do
    if max > 0 and index > max then break end
    local name, value = lower(field[1]), field[2]
    local known = read[name]
    if type(known) == "table" then known[#known + 1] = value
    elseif known then read[name] = { known, value }
    else read[name] = value end
  end
  setmetatable(read, {
    __index = function(_, name) return rawget(read, (gsub(lower(name), "_", "-"))) end,
  })
  if max > 0 and #list > max then return read, "truncated" end
  return read
end

--- Hyphens and underscores are different here: a name is taken as it is, but for its case. nil clears.
function headers.set(list, name, value)
  local values = value == nil and {} or type(value) == "table" and value or { tostring(value) }
  local kept, placed = {}, false
  for _, field in ipairs(list) do
    if not same(field[1], name) then
      kept[#kept + 1] = field
    elseif not placed then
      placed = true
      for _, one in ipairs(values) do kept[#kept + 1] = { field[1], tostring(one) } end
    end
  end
  if not placed then
    for _, one in ipairs(values) do kept[#kept + 1] = { name, tostring(one) } end
  end
  return kept
end

--- As `$http_name`: hyphens are underscores, repeats are joined.
function headers.variable(list, name)
  local values = {}
  for _, field in ipairs(list) do
    if gsub(lower(field[1]), "-", "_") == name then values[#values + 1] = field[2] end
  end
  return values[1] and table.concat(values, ", ") or nil
end

return headers
