"""From the bytes of an answer to JSON, or to the words that say why it is none."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

_LARGE: Final = 256 * 1024
"""Bytes that are decoded in a thread, so that the event loop turns meanwhile."""


class NoJson(ValueError):
    """An answer that is not what it should be.

    Attributes:
        passing: whether another try may be answered better.
    """

    def __init__(self, reason: str, *, passing: bool = True) -> None:
        super().__init__(reason)
        self.passing = passing


async def decode(body: bytes | bytearray, kind: str) -> Any:
    """Return the JSON in *body*.

    ``NaN`` and the infinities, which are no JSON and which some servers send, are read as null.

    Args:
        body: the bytes.
        kind: the content type.

    Raises:
        NoJson: if it is none; the message says what it is, as the end of a sentence with "answered with".
    """
    return await asyncio.to_thread(_decode, body, kind) if len(body) > _LARGE else _decode(body, kind)


def _decode(body: bytes | bytearray, kind: str) -> Any:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = error.start
        raise NoJson(f"text that is not UTF-8 (byte {place} of {len(body)})", passing=False) from None
    start = text[:256].lstrip()
    if "html" in kind or start.startswith("<"):
        what = "an HTML page" if "html" in kind or "html" in start.lower() else "XML"
        raise NoJson(f"{what} where JSON was expected")
    if not start and not text.strip():
        raise NoJson("nothing at all where JSON was expected")
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise NoJson("JSON that is nested too deep", passing=False) from None
    except ValueError as error:
        raise NoJson(f"broken JSON ({_words(error)}; {len(body)} bytes)") from None


def _words(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "a number with too many digits"
