-- The tables that were `[]` in JSON, so that they become `[]` again: Lua cannot tell an empty list from an empty object.
-- Remembered beside the tables, since a mark on them would be seen by user code.
return setmetatable({}, { __mode = "k" })
