# Adds two numbers: POST {"a": 1, "b": 2}
import json


def handler(event, context):
    if event.get("method") == "GET":
        return refusal(405, 'POST {"a": 1, "b": 2}')
    try:
        numbers = json.loads(event.get("body") or "{}")
        return {"sum": numbers["a"] + numbers["b"]}
    except (ValueError, KeyError, TypeError):
        return refusal(400, "a and b must be numbers")


def refusal(status, error):
    return {"statusCode": status, "body": {"error": error}}
