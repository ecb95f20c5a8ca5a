# Takes webhooks that are signed as GitHub signs them. Set the secret WEBHOOK_SECRET; until then it answers 503.
import base64
import hashlib
import hmac
import os

from cloche import log


def handler(event, context):
    secret = os.environ.get("WEBHOOK_SECRET")
    if not secret:
        return {"statusCode": 503, "body": {"error": "set the secret WEBHOOK_SECRET first"}}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    expected = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = event.get("headers") or {}
    if not hmac.compare_digest(expected.encode(), headers.get("x-hub-signature-256", "").encode()):
        return {"statusCode": 401, "body": {"error": "the signature is wrong"}}
    log.info("took", headers.get("x-github-event", "a delivery"), body)
    return {"statusCode": 202, "body": {"accepted": True}}
