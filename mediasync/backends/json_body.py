"""From the bytes of an answer to JSON, within limits; or to the words that say why it is not JSON."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any, Final

ENCODING: Final = "gzip"
"""The compression that is asked for, and the only one that is accepted."""

LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""The largest answer in bytes, compressed or not. With `MAX_VALUES` it limits the memory that one takes."""

MAX_VALUES: Final = 500_000
"""The most values in an answer, counted by opening brackets and commas. Each takes up to some 200 bytes."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 256 * 1024
"""How many bytes are decompressed at once."""

_LARGE: Final = 256 * 1024
"""An answer of more bytes is decoded in a thread, so that it does not block the event loop."""


class NotJson(ValueError):
    """An answer that is not the expected JSON.

    Attributes:
        passing: whether a retry may get a better answer.
    """

    def __init__(self, reason: str, *, passing: bool = True) -> None:
        super().__init__(reason)
        self.passing = passing


class Body:
    """The body of an answer, decompressed as it arrives.

    Args:
        encoding: the header ``Content-Encoding``; empty if there is none.
        largest: how many bytes may arrive, and how many bytes they may decompress to.

    Attributes:
        content: what has arrived, decompressed.

    Raises:
        NotJson: if it is compressed in a way that was not asked for, or more than once.

    Example:
        >>> body = Body("gzip")
        >>> body.add(zlib.compress(b"[]", wbits=31))
        >>> body.finish()
        >>> bytes(body.content)
        b'[]'
    """

    def __init__(self, encoding: str = "", largest: int = LARGEST_ANSWER) -> None:
        encodings = [name.strip().lower() for name in encoding.split(",")]
        encodings = [name for name in encodings if name not in {"", "identity"}]
        if len(encodings) > 1:
            raise NotJson(f"content that is compressed {len(encodings)} times", passing=False)
        if encodings and encodings[0] not in _GZIP:
            raise NotJson(
                f"content that is compressed as {encodings[0][:40]!r}, though only {ENCODING} was asked for",
                passing=False,
            )
        self.content = bytearray()
        self._largest = largest
        self._arrived = 0
        self._inflater = zlib.decompressobj(_GZIP_WINDOW) if encodings else None

    def add(self, chunk: bytes) -> None:
        """Add bytes that arrived.

        Raises:
            NotJson: if there are too many, or they are not compressed as the header says.
        """
        self._arrived += len(chunk)
        if self._inflater is None:
            self.content += chunk
        while self._inflater is not None and chunk and len(self.content) <= self._largest:
            try:
                self.content += self._inflater.decompress(chunk, _STEP)
            except zlib.error as error:
                raise NotJson(f"content that is not {ENCODING}, though it says so ({error})") from None
            chunk = self._inflater.unconsumed_tail
        if max(len(self.content), self._arrived) > self._largest:
            self.content.clear()  # the traceback would keep it alive
            raise NotJson(f"more than {self._largest // 1024 // 1024} MiB", passing=False)

    def finish(self) -> None:
        """Check, after the last bytes, that the content is complete.

        Raises:
            NotJson: if compressed content was cut off.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise NotJson("an answer that was cut off")


async def decode(body: bytes | bytearray, kind: str) -> Any:
    """Return the JSON in *body*.

    An invalid byte in a text does not spoil the whole answer: only the item that holds it is refused later,
    by name. Bytes that are not UTF-8 become lone surrogates (``surrogateescape``); control characters stay.
    ``NaN`` and the infinities, which some servers send, are read as null.

    Args:
        body: the decompressed bytes.
        kind: the content type.

    Raises:
        NotJson: if it is not JSON. The message says what it is, and ends a sentence with "answered with".
    """
    return await asyncio.to_thread(_decode, body, kind) if len(body) > _LARGE else _decode(body, kind)


def _decode(body: bytes | bytearray, kind: str) -> Any:
    values = body.count(b",") + body.count(b"{") + body.count(b"[")
    if values > MAX_VALUES:
        raise NotJson(f"more than {MAX_VALUES:,} values", passing=False)
    text = body.decode("utf-8-sig", "surrogateescape")
    start = text[:256].lstrip()
    if "html" in kind or start.startswith("<"):
        what = "an HTML page" if "html" in kind or "html" in start.lower() else "XML"
        raise NotJson(f"{what} where JSON was expected")
    if not start and not text.strip():
        raise NotJson("nothing at all where JSON was expected")
    try:
        return json.loads(text, parse_constant=lambda _: None, strict=False)
    except RecursionError:
        raise NotJson("JSON that is nested too deeply", passing=False) from None
    except ValueError as error:
        raise NotJson(f"broken JSON ({_words(error)}; {len(body)} bytes{_not_utf8(body)})") from None


def _words(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "a number with too many digits"


def _not_utf8(body: bytes | bytearray) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f", not UTF-8 from byte {error.start} on"
    return ""
