"""The report as a page."""

from html import escape

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
<p>{rows} rows</p>
<table>
<tr><th>{group}</th><th>count</th><th>sum</th><th>min</th><th>max</th></tr>
{body}
</table>
"""


def page_of(report, group, value):
    body = "\n".join(row_of(name, total) for name, total in report["groups"].items())
    return PAGE.format(title=escape(f"{value} by {group}"), rows=report["rows"], group=escape(group), body=body)


def row_of(name, total):
    cells = [escape(name), total["count"], *(f"{total[key]:g}" for key in ("sum", "min", "max"))]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
