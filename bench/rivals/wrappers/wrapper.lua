-- Just enough JSON for a hello: texts with the usual escapes in, a table of texts out.
local payload = io.read("*a")
local function unescape(text)
  return (text:gsub("\\(.)", { n = "\n", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }))
end
local code = unescape(payload:match('"code":"(.-[^\\])"'))
local input = unescape(payload:match('"input":"(.-[^\\])"'))
event = { name = input:match('"name":"(.-)"') }
local parts = {}
for key, value in pairs(assert(loadstring(code))()) do
  parts[#parts + 1] = string.format("%q:%q", key, value)
end
print("{" .. table.concat(parts, ",") .. "}")
