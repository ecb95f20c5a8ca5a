import asyncio
import json
import sys
import textwrap

payload = json.load(sys.stdin)
event = json.loads(payload["input"])
code = textwrap.indent(payload["code"], "    ")
exec(f"async def __run():\n{code}\n", globals())
print(json.dumps(asyncio.run(globals()["__run"]())))
