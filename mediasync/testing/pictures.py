"""The one picture that the fake servers have."""

from __future__ import annotations

import base64
from typing import Final

from mediasync.testing.messages import Response

PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""


def picture() -> Response:
    """Return the answer with the picture."""
    return Response(200, {"Content-Type": "image/png"}, PICTURE)
