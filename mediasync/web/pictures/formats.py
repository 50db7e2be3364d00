"""What kind of picture some bytes are. What a server says of them is not believed."""

from __future__ import annotations

from typing import Final

_BEGINNINGS: Final = [
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
]


def find_media_type(content: bytes) -> str | None:
    """Return the media type of a picture that a browser shows without running anything; else None.

    SVG is not among them: it may hold scripts.

    Example:
        >>> find_media_type(b"GIF89a..."), find_media_type(b"<svg/>")
        ('image/gif', None)
    """
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in {b"avif", b"avis"}:
        return "image/avif"
    return None
