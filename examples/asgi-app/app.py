"""A guest book: an ASGI app without a framework."""

from entries import add_entry, list_entries, read_entry
from router import Refusal, Router

app = Router()


@app.route("GET", "/entries")
async def show_all(request):
    return 200, {"entries": await list_entries()}


@app.route("POST", "/entries")
async def write(request):
    fields = await request.json()
    name, text = fields.get("name"), fields.get("text")
    if not isinstance(name, str) or not 1 <= len(name) <= 50:
        raise Refusal(400, "name: a text of 1 to 50 characters is required")
    if not isinstance(text, str) or not 1 <= len(text) <= 1000:
        raise Refusal(400, "text: a text of 1 to 1000 characters is required")
    return 201, await add_entry(name, text)


@app.route("GET", "/entries/{number}")
async def show(request, number):
    entry = await read_entry(number) if number.isdecimal() else None
    if entry is None:
        raise Refusal(404, f"there is no entry {number}")
    return 200, entry
