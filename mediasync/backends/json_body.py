"""From the bytes of an answer to JSON, or to the words that say why they are none; within bounds."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any, Final

ENCODING: Final = "gzip"
"""How answers may be compressed: what is asked for, and all that is taken."""

LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of an answer, compressed or not. Together with `MOST_VALUES` it bounds the memory that one takes."""

MOST_VALUES: Final = 500_000
"""Values in an answer, as its opening brackets and commas count them; each takes up to some 200 bytes."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 256 * 1024
"""Bytes that are decompressed at once."""

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


class Body:
    """The body of an answer, decompressed as it arrives.

    Args:
        encoding: the header ``Content-Encoding``; empty if there is none.
        largest: how many bytes may arrive, and how many they may decompress to.

    Attributes:
        content: what has come, decompressed.

    Raises:
        NoJson: if it is compressed in a way that was not asked for, or several times.

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
            raise NoJson(f"content that is compressed {len(encodings)} times", passing=False)
        if encodings and encodings[0] not in _GZIP:
            raise NoJson(
                f"content that is compressed as {encodings[0][:40]!r}, though only {ENCODING} was asked for",
                passing=False,
            )
        self.content = bytearray()
        self._largest = largest
        self._arrived = 0
        self._inflater = zlib.decompressobj(_GZIP_WINDOW) if encodings else None

    def add(self, chunk: bytes) -> None:
        """Take what arrived.

        Raises:
            NoJson: if it is too much, or is not compressed as it should be.
        """
        self._arrived += len(chunk)
        if self._inflater is None:
            self.content += chunk
        while self._inflater is not None and chunk and len(self.content) <= self._largest:
            try:
                self.content += self._inflater.decompress(chunk, _STEP)
            except zlib.error as error:
                raise NoJson(f"content that is not {ENCODING}, though it says so ({error})") from None
            chunk = self._inflater.unconsumed_tail
        if max(len(self.content), self._arrived) > self._largest:
            self.content.clear()  # a traceback would keep it
            raise NoJson(f"more than {self._largest // 1024 // 1024} MiB", passing=False)

    def finish(self) -> None:
        """Say that nothing more arrives.

        Raises:
            NoJson: if the compressed content has no end.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise NoJson("an answer that was cut off")


async def decode(body: bytes | bytearray, kind: str) -> Any:
    """Return the JSON in *body*.

    What only some text of it spoils is read, so that the item which holds it is refused by name, and nothing
    else: a byte that is not UTF-8 becomes half of a surrogate pair (as by ``surrogateescape``), a control
    character stays. ``NaN`` and the infinities, which some servers send, are read as null.

    Args:
        body: the bytes.
        kind: the content type.

    Raises:
        NoJson: if it is none; the message says what it is, as the end of a sentence with "answered with".
    """
    return await asyncio.to_thread(_decode, body, kind) if len(body) > _LARGE else _decode(body, kind)


def _decode(body: bytes | bytearray, kind: str) -> Any:
    values = body.count(b",") + body.count(b"{") + body.count(b"[")
    if values > MOST_VALUES:
        raise NoJson(f"more than {MOST_VALUES:,} values", passing=False)
    text = body.decode("utf-8-sig", "surrogateescape")
    start = text[:256].lstrip()
    if "html" in kind or start.startswith("<"):
        what = "an HTML page" if "html" in kind or "html" in start.lower() else "XML"
        raise NoJson(f"{what} where JSON was expected")
    if not start and not text.strip():
        raise NoJson("nothing at all where JSON was expected")
    try:
        return json.loads(text, parse_constant=lambda _: None, strict=False)
    except RecursionError:
        raise NoJson("JSON that is nested too deep", passing=False) from None
    except ValueError as error:
        raise NoJson(f"broken JSON ({_words(error)}; {len(body)} bytes{_not_utf8(body)})") from None


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
