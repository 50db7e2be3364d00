"""What the tests of the web app share: the example library, its token, and clients without a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from support.engines import POSTGRES, SQLITE_FILE

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "library"
TOKEN: Final = "a token for the tests"

on_both_engines = pytest.mark.parametrize(
    "engine", [SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name, indirect=True
)


def client_of(app: Starlette, **options: Any) -> httpx.AsyncClient:
    """Return a program that calls an app without a socket."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", **options)
