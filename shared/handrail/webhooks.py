"""Signed webhooks (Standard Webhooks): secrets, headers, and how long to wait between tries."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

SECRET_BYTES = 32
# Between tries: seconds, minutes, then hours, for five days; after that it is given up and shown.
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)
RETRY_DAYS = 5


def new_secret() -> str:
    """A signing secret, to be shown once."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(signing: Sequence[str], key: str, body: bytes) -> dict[str, str]:
    """The headers of one try, signed by each of these secrets: an old one stays good for a while.

    `key` stays the same in every repeat.
    """
    # The library reads the moment as UTC whatever its zone; hand it one in UTC.
    now = datetime.now(UTC)
    signatures = (Webhook(secret).sign(key, now, body.decode()) for secret in signing)
    return {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def pause_after(tries: int) -> float:
    """Seconds until the next try."""
    return float(PAUSES[min(tries, len(PAUSES)) - 1])
