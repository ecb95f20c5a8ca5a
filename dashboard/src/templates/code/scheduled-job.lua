-- A job for a schedule: keeps the time of its last ten runs. Its schedule is among its settings; a call runs it at once.
function handler(ctx, event)
  local runs = kv.get("runs") or {}
  local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
  table.insert(runs, 1, now)
  runs[11] = nil
  kv.set("runs", runs)
  print("run at", now)
  return { body = { runs = runs } }
end
