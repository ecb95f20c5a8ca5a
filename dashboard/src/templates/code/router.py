# A small API with routes: GET /, GET /users, GET /users/1
import re

USERS = {"1": {"id": "1", "name": "Ada"}, "2": {"id": "2", "name": "Grace"}}
ROUTES = [
    ("GET", r"/", lambda: {"routes": ["/users", "/users/:id"]}),
    ("GET", r"/users", lambda: list(USERS.values())),
    ("GET", r"/users/(\w+)", lambda user_id: USERS.get(user_id)),
]


def handler(event, context):
    path = event.get("relativePath") or "/"
    matching = [(method, re.fullmatch(pattern, path), answer) for method, pattern, answer in ROUTES]
    matching = [route for route in matching if route[1]]
    for method, match, answer in matching:
        if method == event.get("method", "GET"):
            found = answer(*match.groups())
            return found if found is not None else {"statusCode": 404, "body": {"error": "not found"}}
    if matching:
        return {"statusCode": 405, "body": {"error": "not this method"}}
    return {"statusCode": 404, "body": {"error": "not found"}}
