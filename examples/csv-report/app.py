"""Sums up a CSV file of any length: POST it with ?group=<column>&value=<column>, get JSON, or HTML where that is asked for."""

import json
from urllib.parse import parse_qs

from report import MistakeInCsv, report_of
from page import page_of


def app(environ, start_response):
    def answer(status, content_type, text):
        body = text.encode()
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def refuse(status, message):
        return answer(status, "application/json", json.dumps({"error": message}))

    if environ["REQUEST_METHOD"] != "POST":
        return refuse("405 Method Not Allowed", "POST a CSV file")
    query = parse_qs(environ["QUERY_STRING"])
    if "group" not in query or "value" not in query:
        return refuse("400 Bad Request", "the query must name two columns: group and value")
    group, value = query["group"][0], query["value"][0]
    try:
        report = report_of(environ["wsgi.input"], group, value)
    except MistakeInCsv as mistake:
        return refuse("422 Unprocessable Content", str(mistake))
    if "text/html" in environ.get("HTTP_ACCEPT", ""):
        return answer("200 OK", "text/html; charset=utf-8", page_of(report, group, value))
    return answer("200 OK", "application/json", json.dumps(report))
