"""A drawn picture with the initials of somebody or something of which there is no picture."""

from __future__ import annotations

import hashlib
from html import escape

from mediasync.display import safe


def initials(name: str) -> str:
    """Return the first letters of the first and of the last word of a name.

    Example:
        >>> initials("Tom Hanks"), initials("Amélie"), initials("...")
        ('TH', 'A', '?')
    """
    found = [word for word in safe(name, 200).replace("-", " ").split() if word[0].isalnum()]
    if not found:
        return "?"
    return (found[0][0] + (found[-1][0] if len(found) > 1 else "")).upper()


def draw(name: str, width: int) -> bytes:
    """Return an SVG of the initials of a name, in a colour that belongs to the name.

    Args:
        name: the name or the title.
        width: in pixels; the height is one and a half times that.
    """
    hue = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=2).digest()) % 360
    size = f'width="{width}" height="{width * 3 // 2}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 100 150">'
        f'<rect width="100" height="150" fill="hsl({hue} 22% 36%)"/>'
        '<text x="50" y="76" fill="#fff" font-family="system-ui, sans-serif" font-size="38" '
        f'text-anchor="middle" dominant-baseline="middle">{escape(initials(name))}</text></svg>'
    ).encode()
