-- The configuration of a guard: there is none. It stands where its plugin stands: globally, at a service or at a route.

local typedefs = require "kong.db.schema.typedefs"

return function(name)
  return {
    name = name,
    fields = {
      -- it runs before anybody is known
      { consumer = typedefs.no_consumer },
      { protocols = typedefs.protocols_http },
      { config = { type = "record", fields = {} } },
    },
  }
end
