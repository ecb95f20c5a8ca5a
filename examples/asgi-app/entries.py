"""The entries, in the key-value store. Its calls block, so they are made in threads, and other requests go on meanwhile."""

import asyncio

from cloche import kv


async def add_entry(name, text):
    number = await asyncio.to_thread(kv.incr, "last")
    entry = {"number": number, "name": name, "text": text}
    await asyncio.to_thread(kv.set, key_of(number), entry)
    return entry


async def read_entry(number):
    return await asyncio.to_thread(kv.get, key_of(number))


async def list_entries():
    return list((await asyncio.to_thread(kv.all, "entry:")).values())


def key_of(number):
    return f"entry:{int(number):09d}"  # of equal length, so that keys sort as numbers do
