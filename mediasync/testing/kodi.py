"""A fake Kodi."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from mediasync.models import MediaItem
from mediasync.testing.kodi_events import KodiEvents
from mediasync.testing.kodi_methods import KINDS, Refusal, VideoLibrary, words
from mediasync.testing.library import Catalogue
from mediasync.testing.listeners import Listener
from mediasync.testing.pictures import picture
from mediasync.testing.server import SWITCHING, Request, Response

__all__ = ["FakeKodi"]

_MOST_BYTES: Final = 65_536
_NOT_FOUND: Final = "<html><head><title>File not found</title></head><body>File not found</body></html>"
_JSON_TYPES: Final = frozenset({"", "application/json", "application/json-rpc", "application/jsonrequest"})
_ROLES_MATTER_SINCE: Final = 12

Method = Callable[[Mapping[str, Any]], Any]

_TYPES: Final = {"properties": "array", "labels": "array", "booleans": "array"}
_OBJECTS: Final = frozenset({"limits", "sort", "filter"})


class FakeKodi(KodiEvents):
    """A Kodi that serves a catalogue over JSON-RPC.

    It was built from recorded answers of Kodi 20. Errors have the status 200. The cast of an episode is its
    own cast, followed by the other people in the cast of its show. Ids are numbers that Kodi reassigns.
    People have no ids: one name is one person. Directors and writers are only names; other types of people
    are unknown. Changes of the catalogue are announced at `events_port`: see `KodiEvents`.

    Args:
        catalogue: the content; change it between two syncs.
        username: the user name that belongs to the password.
        password: the password for HTTP basic authentication; None for no authentication.
        api: the version of JSON-RPC: 13 for Kodi 20, 12 for Kodi 19, 10 for Kodi 18.
        timezone: the time zone of Kodi's clock.
        name: the name that its owner gave it.
        base_path: the path below which everything is served.
        tls: the TLS context; None for plain HTTP.

    Attributes:
        catalogue: the content, as given.
        username: the user name, as given.
        password: the password, as given; assign another one to revoke it.
        timezone: the time zone, as given.
        calls: the called methods in order, including those inside batches.

    Example::

        async with FakeKodi(make_catalogue(films=100), password="secret") as server:
            print(server.url)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        username: str = "kodi",
        password: str | None = None,
        api: int = 13,
        timezone: str = "UTC",
        name: str = "Fake Kodi",
        base_path: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base_path=base_path, tls=tls)
        self.catalogue = catalogue
        self.username = username
        self.password = password
        self.timezone = timezone
        self.calls: list[str] = []
        self._library = VideoLibrary(roles_matter=api >= _ROLES_MATTER_SINCE)
        self._version = {"version": {"major": api, "minor": 0, "patch": 0}}
        application = {
            "volume": 100,
            "muted": False,
            "name": "Kodi",
            "version": {"major": api + 7, "minor": 1, "revision": "fake", "tag": "stable"},
        }
        self._methods: dict[str, Method] = {
            "JSONRPC.Ping": lambda _: "pong",
            "JSONRPC.Version": lambda _: self._version,
            "JSONRPC.Introspect": self._introspect,
            "JSONRPC.SetConfiguration": lambda params: {
                "notifications": {"VideoLibrary": True, **params.get("notifications", {})}
            },
            "Player.GetActivePlayers": lambda _: [],
            "Application.GetProperties": lambda params: {
                key: application[key] for key in words(params["properties"]) if key in application
            },
            "XBMC.GetInfoLabels": lambda params: {
                label: name if label == "System.FriendlyName" else "" for label in words(params["labels"])
            },
            "XBMC.GetInfoBooleans": lambda params: dict.fromkeys(words(params["booleans"]), False),
        }
        self._params: dict[str, tuple[str, ...]] = {
            "JSONRPC.Introspect": ("getdescriptions", "getmetadata", "filterbytransport", "filter"),
            "JSONRPC.SetConfiguration": ("notifications",),
            "Application.GetProperties": ("properties",),
            "XBMC.GetInfoLabels": ("labels",),
            "XBMC.GetInfoBooleans": ("booleans",),
        }
        for kind in KINDS:
            listing, details = f"VideoLibrary.Get{kind.word}s", f"VideoLibrary.Get{kind.word}Details"
            self._methods[listing] = partial(self._call_library, self._library.list_items, kind, listing)
            self._methods[details] = partial(self._call_library, self._library.details, kind, details)
            self._params |= {listing: kind.listing_params, details: kind.details_params}
        self._names = {name.lower(): name for name in self._methods}

    async def handle(self, request: Request) -> Response:
        """Answer a request; see `FakeServer`."""
        if request.port and request.port == self.events_port:
            return Response(SWITCHING, listener=Listener())
        if self.password is not None and not self._signed_in(request):
            return Response(401, {"WWW-Authenticate": 'Basic realm="Kodi"', "Connection": "close"})
        if request.path.startswith("/image/image://"):
            return picture()
        if request.path != "/jsonrpc" or request.method not in {"GET", "POST"}:
            return Response(404, {}, _NOT_FOUND.encode())
        body = request.body
        if request.method == "GET":
            body = request.first("request").encode()
        elif request.headers.get("content-type", "").partition(";")[0].strip() not in _JSON_TYPES:
            return Response(415)
        if len(body) > _MOST_BYTES:
            return Response(413)
        return _response(self.answer(body))

    def heard(self, listener: Listener, message: str) -> None:
        """Answer a call that arrives at the port of the notifications."""
        if (answer := self.answer(message.encode())) is not None:
            listener.send(self.encode(listener, answer))

    def number_of(self, item: MediaItem) -> int:
        """Return Kodi's id of an item."""
        return self._library.number_of(self.catalogue, item)

    def answer(self, body: bytes) -> Any:
        """Return the answer to a body; None if it contains only notifications."""
        try:
            asked = json.loads(body.decode("utf-8", "replace"))
        except ValueError:
            return _error(None, Refusal(-32700, "Parse error."))
        if not isinstance(asked, list):
            return self._answer_one(asked)
        if not asked:
            return _error(None, Refusal(-32600, "Invalid request."))
        answers = [answer for answer in map(self._answer_one, asked) if answer is not None]
        return answers or None

    def truth(self) -> Catalogue:
        """Return the expected mirror: with Kodi's keys, and without data that Kodi cannot express."""
        return self._library.records(self.catalogue, self.timezone).truth()

    def _answer_one(self, asked: Any) -> dict[str, Any] | None:
        if not isinstance(asked, dict):
            return _error(None, Refusal(-32600, "Invalid request."))
        number, params = asked.get("id"), asked.get("params", {})
        name = asked.get("method")
        if asked.get("jsonrpc") != "2.0" or not isinstance(name, str) or not isinstance(params, dict | list):
            return _error(number, Refusal(-32600, "Invalid request."))
        known = self._names.get(name.lower())
        if "id" not in asked:
            return None
        if known is None:
            return _error(number, Refusal(-32601, "Method not found."))
        self.calls.append(known)
        if isinstance(params, list):
            params = dict(zip(self._params.get(known, ()), params, strict=False))
        try:
            return {"id": number, "jsonrpc": "2.0", "result": self._methods[known](params)}
        except Refusal as refusal:
            return _error(number, refusal)

    def _introspect(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all methods with their parameters, or the one that the filter names."""
        wanted = params.get("filter", {})
        if wanted and (wanted.get("type") != "method" or wanted.get("id") not in self._methods):
            raise Refusal(-32602, "Invalid params.")
        names = [wanted["id"]] if wanted else sorted(self._methods)
        return {
            "id": "http://xbmc.org/jsonrpc/ServiceDescription.json",
            "description": "JSON-RPC API of a fake Kodi",
            "version": f"{self._version['version']['major']}.0.0",
            "methods": {name: self._described(name) for name in names},
            "notifications": {},
            "types": {},
        }

    def _described(self, name: str) -> dict[str, Any]:
        needed = {"labels", "booleans", *(kind.id_name for kind in KINDS if name.endswith("Details"))}
        params = [
            {
                "name": param,
                "required": param in needed,
                "type": _TYPES.get(param, "object" if param in _OBJECTS else "integer"),
            }
            for param in self._params.get(name, ())
        ]
        return {"type": "method", "description": name, "params": params, "returns": {"type": "any"}}

    def _call_library(
        self, call: Callable[..., Any], kind: Any, method: str, params: Mapping[str, Any]
    ) -> Any:
        return call(kind, method, params, self.catalogue, self.timezone)

    def _signed_in(self, request: Request) -> bool:
        wanted = base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
        return request.headers.get("authorization") == f"Basic {wanted}"


def _error(number: Any, refusal: Refusal) -> dict[str, Any]:
    return {"error": refusal.error, "id": number, "jsonrpc": "2.0"}


def _response(answer: Any) -> Response:
    if answer is None:
        return Response(200, {"Content-Type": "application/json"})
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Response(200, {"Content-Type": "application/json"}, body.encode("utf-8", "surrogatepass"))
