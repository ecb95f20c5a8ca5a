# Asks a language model: POST {"question": "…"}. Set the secret OPENAI_API_KEY, and OPENAI_ENDPOINT for another provider.
import json
import os

from cloche import ai


def handler(event, context):
    try:
        question = json.loads(event.get("body") or "{}")["question"]
    except (ValueError, KeyError, TypeError):
        return {"statusCode": 400, "body": {"error": 'POST {"question": "…"}'}}
    if not os.environ.get("OPENAI_API_KEY"):
        return {"statusCode": 503, "body": {"error": "set the secret OPENAI_API_KEY first"}}
    model = os.environ.get("MODEL", "gpt-4o-mini")
    answer = ai.chat("openai", model, [{"role": "user", "content": str(question)}])
    return {"answer": answer["content"], "usage": answer["usage"]}
