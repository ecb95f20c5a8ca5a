-- Replaces files of ours by their bytecode, line numbers included: a worker then starts in half the time and with less memory.
-- Arguments: the folder, then names of files within it.

local folder = arg[1]

for index = 2, #arg do
  local name = arg[index]
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "rb"))
  local source = file:read("*a")
  file:close()
  local chunk = assert(load(source, "=cloche/" .. name:gsub("%.lua$", ""):gsub("/", "."), "t"))
  file = assert(io.open(path, "wb"))
  assert(file:write(string.dump(chunk)))
  assert(file:close())
end
