"""Takes webhooks that are signed as GitHub signs them: HMAC-SHA256 of the body, in X-Hub-Signature-256."""

import base64
import hashlib
import hmac
import json
import os

from cloche import log


def handler(event, context):
    secret = os.environ.get("WEBHOOK_SECRET")
    if not secret:
        log.error("the secret WEBHOOK_SECRET is not set")
        return refusal(503, "not ready to take webhooks")
    body = body_bytes(event)
    if not is_signed(body, event["headers"].get("x-hub-signature-256", ""), secret):
        log.warn("refused a delivery with a wrong signature")
        return refusal(401, "the signature is wrong")
    try:
        payload = json.loads(body)
    except ValueError:
        return refusal(400, "the body is not JSON")
    kind = event["headers"].get("x-github-event", "unknown")
    log.info("took", kind)
    return {"statusCode": 202, "body": {"accepted": kind, "fields": sorted(payload)}}


def is_signed(body, signature, secret):
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # Takes the same time for every wrong signature, so that none can be found byte by byte.
    return hmac.compare_digest(expected.encode(), signature.encode())


def body_bytes(event):
    """As it was sent: the signature covers these bytes and no others."""
    return base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()


def refusal(status, message):
    return {"statusCode": status, "body": {"error": message}}
