"""Cursors: where the next page of a list begins."""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any, Final

from mediasync.errors import UsageError

_DIGEST_BYTES: Final = 6


def list_digest(*what: Any) -> str:
    """Return a short digest of a list: its filter, its sort and everything else that decides its order."""
    return blake2b(repr(what).encode(), digest_size=_DIGEST_BYTES).hexdigest()


def encode_cursor(digest: str, place: Any) -> str:
    """Return the cursor of the page after a place of a list.

    Args:
        digest: of the list, made by `list_digest`.
        place: values that JSON has.
    """
    text = json.dumps([digest, place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_checksum(text) + text).decode().rstrip("=")


def decode_cursor(digest: str, cursor: str) -> Any:
    """Return the place of a cursor.

    Raises:
        UsageError: if it is damaged, or of another list.
    """
    try:
        data = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        sum_of_text, text = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if sum_of_text != _checksum(text) or encode_cursor(*json.loads(text)) != cursor:
            raise ValueError
        made_for, place = json.loads(text)
    except (AttributeError, TypeError, ValueError, binascii.Error):
        raise UsageError(
            "the cursor is damaged: give Page.next of the page before as it was returned"
        ) from None
    if made_for != digest:
        raise UsageError(
            "the cursor is of another list: give the filter, the sort and the direction of the page that it "
            "came from"
        )
    return place


def _checksum(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_BYTES).digest()
