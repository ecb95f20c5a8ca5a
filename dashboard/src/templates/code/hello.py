# Says hello: ?name=Ada
def handler(event, context):
    query = event.get("query") or {}
    return {"hello": query.get("name", "world")}
