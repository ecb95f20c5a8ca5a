"""Says hello to whoever is named in the query."""


def handler(event, context):
    return {"hello": event["query"].get("name", "world")}
