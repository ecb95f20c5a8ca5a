-- A module of ours that is loaded when it is first asked for: an idle worker is smaller, and ready sooner, without those that few scripts use.
-- That may be while user code runs: the loader and what it loads must not trust `text:method()`.

return function(name)
  local module
  return function()
    if module == nil then
      module = require(name)
    end
    return module
  end
end
