"""A fake Emby server: Emby's documented behaviour, built on the fake Jellyfin."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from mediasync.models import Person
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.testing.jellyfin_rows import PersonRow, digest
from mediasync.testing.listeners import Listener
from mediasync.testing.server import SWITCHING, Request, Response

__all__ = ["FakeEmby"]

_KEY: Final = re.compile(r"\d{1,12}")
_PREFIX: Final = "/emby"
_SOCKET: Final = "/embywebsocket"


class FakeEmby(FakeJellyfin):
    """Serves a catalogue as Emby's documentation describes: below ``/emby``, with numbers as ids.

    It has not been compared with recordings of a real server. The arguments are those of `FakeJellyfin`.

    Attributes:
        folders_forbidden: whether ``/Library/MediaFolders`` answers 403 to users, who must read their views
            instead.
        etags: whether items have Etags when a request asks for them.
    """

    folders_forbidden = False
    etags = True

    def item_id(self, key: str) -> str:
        """Return the server's id of an item: the catalogue's own key."""
        return key

    def library_id(self, key: str) -> str:
        """Return the server's id of a library."""
        return f"9{key.zfill(8)}"

    def person_row(self, person: Person) -> PersonRow:
        """Return the server's person for a person of the catalogue: Emby keeps each one apart."""
        key = person.remote_id or ""
        return self._people.setdefault(key, PersonRow(key, person.name, person))

    async def handle(self, request: Request) -> Response:
        """Answer as the server does; all paths but that of the WebSocket are below ``/emby``."""
        if request.path == _SOCKET:
            user = self.tokens.get(request.first("api_key"))
            return Response(401) if user is None else Response(SWITCHING, listener=Listener(user=user))
        if not request.path.startswith(f"{_PREFIX}/"):
            return Response(404)
        path = request.path.removeprefix(_PREFIX)
        return await super().handle(replace(request, path=path))

    async def _answer_to(self, path: str, request: Request, user: str) -> Response:
        match path.split("/")[1:]:
            case ["library", "mediafolders"] if user and self.folders_forbidden:
                return Response(403)
            case ["users", key, "views"] if user and key == digest("user", user):
                return Response.json({"Items": self.folders(), "TotalRecordCount": len(self.folders())})
        return await super()._answer_to(path, request, user)

    def _info(self) -> dict[str, Any]:
        return {
            "LocalAddress": self.url,
            "WanAddress": self.url,
            "ServerName": "fixture",
            "Version": "4.9.1.80",
            "Id": self.server_id,
        }

    def _fields(self, request: Request) -> frozenset[str]:
        fields = super()._fields(request)
        return fields if self.etags else fields - {"etag"}

    def _token(self, request: Request) -> str | None:
        return request.headers.get("x-emby-token") or request.first("api_key") or None

    def _introduced(self, request: Request) -> bool:
        return "x-emby-authorization" in request.headers

    def _is_key(self, text: str) -> bool:
        return _KEY.fullmatch(text) is not None
