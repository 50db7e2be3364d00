"""Where the database is, in answers."""

from __future__ import annotations

from typing import Any

from mediasync.settings.database import sqlite_path
from mediasync.text import without_secrets


def database_document(url: str) -> dict[str, Any]:
    """Return the JSON document of the database's location."""
    path = sqlite_path(url)
    return {"url": without_secrets(url), "path": str(path.absolute()) if path else None}


def database_name(url: str) -> str:
    """Return the path or URL of the database, for people."""
    path = sqlite_path(url)
    return str(path.absolute()) if path else without_secrets(url)
