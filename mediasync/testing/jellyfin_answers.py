"""Answers of a fake Jellyfin that depend on the request alone, and the form of its listings."""

from __future__ import annotations

import re
from typing import Any, Final

from mediasync.testing.jellyfin_rows import Row, digest
from mediasync.testing.messages import Request, Response

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")


def root_folders() -> list[Row]:
    """Return the folders that the server lists when ``ids=`` contains no valid id."""

    def row(name: str, kind: str) -> Row:
        key = digest("folder", name)
        return Row(key, kind, name, "", lambda _: {"Name": name, "Id": key, "IsFolder": True, "Type": kind})

    return [row("movies", "Folder"), row("Playlists", "ManualPlaylistsFolder"), row("tvshows", "Folder")]


def listing(items: list[dict[str, Any]], total: int, start: int = 0) -> Response:
    """Return a page of a listing."""
    return Response.json({"Items": items, "TotalRecordCount": total, "StartIndex": start})


def invalid(request: Request) -> Response | None:
    """Return the answer to an invalid number or time in the query; None if all are valid."""
    for name in ("startIndex", "limit"):
        text = request.first(name)
        if text and not re.fullmatch(r"-?\d+", text):
            return validation(name, text)
    since = request.first("minDateLastSaved")
    if since and not _TIME.fullmatch(since):
        return validation("minDateLastSaved", since)
    return None


def validation(name: str, value: str) -> Response:
    """Return the answer that names an invalid parameter."""
    return Response.json(
        {
            "title": "One or more validation errors occurred.",
            "status": 400,
            "errors": {name: [f"The value '{value}' is not valid."]},
        },
        400,
    )
