"""One pass over the rows of a CSV file. Memory grows with the groups, never with the rows."""

import csv
import math

MAX_GROUPS = 10_000


class MistakeInCsv(ValueError):
    """What is wrong with the file, and where."""


def report_of(lines, group, value):
    """`lines` are bytes, read one after the other as they arrive. Returns {"rows", "groups": {name: {"count", "sum", "min", "max"}}}."""
    reader = csv.DictReader(decoded(lines))
    rows, groups = 0, {}
    try:
        for column in (group, value):
            if column not in (reader.fieldnames or []):
                raise MistakeInCsv(f"there is no column {column!r}")
        for rows, row in enumerate(reader, start=1):
            add(groups, row[group] or "", number_of(row[value], reader.line_num))
    except (csv.Error, UnicodeDecodeError) as error:
        raise MistakeInCsv(f"line {reader.line_num + 1}: {error}") from error
    return {"rows": rows, "groups": dict(sorted(groups.items()))}


def decoded(lines):
    for index, line in enumerate(lines):
        yield line.decode("utf-8-sig" if index == 0 else "utf-8")  # spreadsheets put a mark before the first


def number_of(text, line):
    try:
        number = float(text)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):  # "nan" and "inf" are numbers for Python, but not for JSON
        raise MistakeInCsv(f"line {line}: {text!r} is not a number")
    return number


def add(groups, name, number):
    total = groups.get(name)
    if total is not None:
        total["count"] += 1
        total["sum"] += number
        total["min"] = min(total["min"], number)
        total["max"] = max(total["max"], number)
    elif len(groups) < MAX_GROUPS:
        groups[name] = {"count": 1, "sum": number, "min": number, "max": number}
    else:
        raise MistakeInCsv(f"more than {MAX_GROUPS} groups")
