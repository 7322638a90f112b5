-- Told to all instances: shared by the scripts that change something, and put in front of them.

-- Counts a change and answers its revision as text: of the whole directory, and with 'edition' of policy and tenants.
local function count(head, field)
  return string.format('%.0f', redis.call('HINCRBY', head, field, 1))
end

-- One entry of the stream; answers its id.
local function note(changes, kind, id, revision)
  return redis.call('XADD', changes, 'MAXLEN', '~', 10000, '*', 'kind', kind, 'id', id, 'revision', revision)
end
