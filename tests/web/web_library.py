"""What the tests of the web app share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import httpx
from starlette.applications import Starlette

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "library"
TOKEN: Final = "a token for the tests"


def client_of(app: Starlette, **options: Any) -> httpx.AsyncClient:
    """Return a program that calls an app without a socket."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", **options)
