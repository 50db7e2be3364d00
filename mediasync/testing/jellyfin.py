"""A fake Jellyfin server, which behaves like version 12.0 or 10.11."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

from mediasync.testing.jellyfin_answers import invalid, listing, root_folders, validation
from mediasync.testing.jellyfin_events import JellyfinEvents
from mediasync.testing.jellyfin_holdings import JellyfinHoldings
from mediasync.testing.jellyfin_queries import UnknownQueryError, select, wanted_types
from mediasync.testing.jellyfin_rows import Row, digest
from mediasync.testing.jellyfin_users import JellyfinUsers
from mediasync.testing.library import Catalogue
from mediasync.testing.listeners import Listener
from mediasync.testing.pictures import picture
from mediasync.testing.server import SWITCHING, Request, Response

__all__ = ["FakeJellyfin"]

_KEY: Final = re.compile(r"[0-9a-fA-F]{32}")
_PLACEHOLDER: Final = "00000000000000000000000000000001"
_LONGEST_REQUEST_LINE: Final = 8_192
_POSTED: Final = frozenset(
    {
        "/users/authenticatebyname",
        "/users/authenticatewithquickconnect",
        "/quickconnect/initiate",
        "/quickconnect/authorize",
        "/sessions/logout",
    }
)
_COUNTED: Final = (
    *("Movie", "Series", "Episode", "Trailer", "BoxSet", "Book"),
    *("Artist", "Album", "Song", "MusicVideo", "Program"),
)
_ERROR: Final = Response.text("Error processing request.", 400)

Step = Callable[[Request], None]


class FakeJellyfin(JellyfinHoldings, JellyfinEvents):
    """Serves a catalogue as Jellyfin does, including the data that Jellyfin loses and its bugs.

    Changes of the catalogue are reported at ``/socket``, to users but not to API keys: see `JellyfinEvents`.
    An unknown path is answered with 404, and an unknown filter with 501; both answers name it.

    Args:
        catalogue: the content, which may be changed while the server runs.
        version: the version of Jellyfin whose behaviour to imitate.
        api_key: an API key that the server accepts.
        users: the passwords by user name; the first user is an administrator.
        base_path: the path below which everything is served.
        tls: the TLS context; None for plain HTTP.

    Attributes:
        catalogue: the content, as given.
        version: the imitated version, as given.
        accounts: the users, and Quick Connect.
        tokens: the accepted tokens, each with the name of its user, or "" for an API key. Remove one to
            revoke it.
        kinds: the ``CollectionType`` of libraries by their key in the catalogue, if it differs from the
            content of the library; None for a mixed library, which has none.
        starting: how many more requests it answers as a server that is still starting.
        retry_after: the ``Retry-After`` of those answers.
        scanning: whether a library scan is running.
        scan_ends_after: after how many more requests for the tasks the scan ends; None: at `end_scan`.
        before: a function that is called with each request before the answer, to change something then.
        missing: ids that answers to ``ids=`` leave out.
        broken: ids that turn every answer that contains them into a 500.
        seconds_per_credit, seconds_per_item, seconds_per_person: how long one of them takes in an answer.
            The server works on one answer at a time.

    Example::

        async with FakeJellyfin(make_catalogue(films=3), version="10.11") as server:
            print(server.url)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        version: Literal["12.0", "10.11"] = "12.0",
        api_key: str = "fixture-api-key",
        users: dict[str, str] | None = None,
        base_path: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        JellyfinEvents.__init__(self, base_path=base_path, tls=tls)
        JellyfinHoldings.__init__(self, catalogue, version)
        self.users = {"admin": "fixture-password"} if users is None else users
        self.accounts = JellyfinUsers(self.users, api_key, self.server_id, old=self.old)
        self.tokens = self.accounts.tokens
        self.starting = 0
        self.retry_after = "005"
        self.before: Step | None = None
        self.missing: set[str] = set()
        self.broken: set[str] = set()
        self.seconds_per_credit = self.seconds_per_item = self.seconds_per_person = 0.0
        self._busy = asyncio.Lock()

    # Answers

    async def handle(self, request: Request) -> Response:
        """Answer as the server does. Its clock is the catalogue's."""
        response = await self._told(request)
        date = format_datetime(self.catalogue.now.astimezone(UTC), usegmt=True)
        return replace(response, headers={"Date": date, **response.headers})

    async def _told(self, request: Request) -> Response:
        if self.before is not None:
            self.before(request)
        if self.starting > 0:
            self.starting -= 1
            return Response(503, {"Content-Type": "text/html", "Retry-After": self.retry_after})
        target = f"{request.path}?{urlencode(request.query, doseq=True)}"
        if len(f"GET {target} HTTP/1.1") > _LONGEST_REQUEST_LINE:
            return Response(414)
        path = request.path.rstrip("/").lower()
        if request.method != "GET" and path not in _POSTED:
            return Response(405)
        if (response := self._answer_to_anybody(path, request)) is not None:
            return response
        user = self.tokens.get(self._token(request) or "")
        if user is None:
            return Response(401)
        try:
            return await self._answer_to(path, request, user)
        except UnknownQueryError as error:
            return Response.text(f"this fake does not know the filter {error}", 501)

    def _answer_to_anybody(self, path: str, request: Request) -> Response | None:
        """Answer requests that need no token."""
        match path.split("/")[1:]:
            case ["system", "info", "public"]:
                return Response.json(self._info())
            case ["system", "ping"]:
                return Response.json(self.product)
            case ["users", "public"]:
                return self.accounts.records()
            case ["users", "authenticatebyname"]:
                return self.accounts.sign_in(request) if self._introduced(request) else _ERROR
            case ["users", "authenticatewithquickconnect"]:
                return self.accounts.sign_in_quickly(request)
            case ["quickconnect", "enabled"]:
                return Response.json(self.accounts.quick_connect)
            case ["quickconnect", "initiate"]:
                return self.accounts.initiate(request) if self._introduced(request) else _ERROR
            case ["quickconnect", "connect"]:
                return self.accounts.state(request.first("secret"))
            case ["items", key, "images", kind, *_]:
                return self._picture(key, kind)
        return None

    async def _answer_to(self, path: str, request: Request, user: str) -> Response:
        if path == "/sessions/logout":
            self.tokens.pop(self._token(request) or "", None)
            return Response(204)
        match path.split("/")[1:]:
            case ["users", key, *rest] if rest and (name := self.accounts.find(key)) is not None:
                return await self._answer_to("/" + "/".join(_without_user(rest)), request, name)
            case ["socket"]:
                return Response(SWITCHING, listener=Listener(user=user))
            case ["system", "info"]:
                return Response.json(self._info())
            case ["library", "mediafolders"]:
                return listing(self.folders(), len(self.folders()))
            case ["library", "virtualfolders"]:
                return Response.json(self._virtual_folders())
            case ["userviews"] if user or request.first("userId"):
                return listing(self.folders(), len(self.folders()))
            case ["users"]:
                return self.accounts.records()
            case ["users", "me"] if user:
                return Response.json(self.accounts.record(user))
            case ["users", key] if (name := self.accounts.find(key)) is not None:
                return Response.json(self.accounts.record(name))
            case ["quickconnect", "authorize"] if user:
                approved = self.accounts.approve(request.first("code"), user)
                return Response.json(approved) if approved else Response(404)
            case ["scheduledtasks"]:
                return self._told_tasks() if not user or user == next(iter(self.users)) else Response(403)
            case ["items"]:
                return await self._told_items(request)
            case ["items", "counts"]:
                return Response.json(self._counts())
            case ["items", "latest"] if user or request.first("userId"):
                return self._latest(request)
            case ["items", key, "images"]:
                return self._pictures(key)
            case ["items", key] if user or request.first("userId"):
                return await self._one(key)
            case ["persons"]:
                return self._persons(request)
            case ["genres"]:
                return self._genres()
            case ["shows", key, "episodes" | "seasons" as what]:
                return self._of_show(key, what, request)
            case ["userviews"] | ["users", "me"] | ["items", _]:
                return _ERROR
        return Response.text(f"this fake does not know {path}", 404)

    product = "Jellyfin Server"

    def _info(self) -> dict[str, Any]:
        return {
            "LocalAddress": self.url,
            "ServerName": "fixture",
            "Version": {"12.0": "12.0.0", "10.11": "10.11.11"}[self.version],
            "ProductName": self.product,
            "OperatingSystem": "",
            "Id": self.server_id,
            "StartupWizardCompleted": True,
        }

    def _token(self, request: Request) -> str | None:
        return self.accounts.token_of(request)

    def _introduced(self, request: Request) -> bool:
        return "authorization" in request.headers

    def _virtual_folders(self) -> list[dict[str, Any]]:
        return [
            {
                "Name": folder["Name"],
                "Locations": [f"/media/{folder['Name']}"],
                "CollectionType": folder.get("CollectionType"),
                "ItemId": folder["Id"],
            }
            for folder in self.folders()
            if folder["Type"] == "CollectionFolder"
        ]

    def _counts(self) -> dict[str, int]:
        rows = self.rows()
        counts = {f"{kind}Count": sum(row.type == kind for row in rows) for kind in _COUNTED}
        return {**counts, "ItemCount": len(rows)}

    def _picture(self, key: str, kind: str) -> Response:
        row = self._row_of(key.lower())
        record = row.record(False) if row else {}
        known = {name.lower() for name in record.get("ImageTags", {})}
        if record.get("BackdropImageTags"):
            known.add("backdrop")
        return picture() if kind in known else Response(404)

    def _pictures(self, key: str) -> Response:
        row = self._row_of(key)
        if row is None:
            return Response(404)
        tags = row.record(False).get("ImageTags", {})
        return Response.json(
            [{"ImageType": kind, "ImageTag": tag, "Width": 1, "Height": 1} for kind, tag in tags.items()]
        )

    def _row_of(self, key: str) -> Row | None:
        return next((row for row in (*self.rows(), *self.persons()) if row.id == key), None)

    def _latest(self, request: Request) -> Response:
        """Return the newest items, as a bare list."""
        parent = request.first("parentId").lower()
        rows = [row for row in self.rows() if row.type in {"Movie", "Series"} and parent in {"", row.library}]
        rows.sort(key=lambda row: str(row.record(False).get("DateCreated", "")), reverse=True)
        page = rows[: int(request.first("limit", "20") or 20)]
        return Response.json([row.to_json(self._fields(request), images=True) for row in page])

    def _genres(self) -> Response:
        names = sorted({name for row in self.rows() for name in row.record(False).get("Genres", ())})
        listed = [{"Name": name, "Id": digest("genre", name), "Type": "Genre"} for name in names]
        return listing(listed, len(listed))

    def _fields(self, request: Request) -> frozenset[str]:
        return frozenset(name.lower() for name in request.listed("fields"))

    def _told_tasks(self) -> Response:
        if self.scan_ends_after is not None:
            self.scan_ends_after -= 1
            if self.scan_ends_after < 0:
                self.end_scan()
        return Response.json(
            [
                {"Name": "Clean Cache Directory", "State": "Idle", "Key": "DeleteCacheFiles"},
                {
                    "Name": "Scan Media Library",
                    "State": "Running" if self.scanning else "Idle",
                    "Key": "RefreshLibrary",
                    "LastExecutionResult": {"EndTimeUtc": f"2026-11-22T15:{self.scans:02}:50.0073399Z"},
                },
            ]
        )

    async def _told_items(self, request: Request) -> Response:
        begun = asyncio.get_running_loop().time()
        response, listed = self._answered_items(request)
        await self._work(listed, begun)
        return response

    def _answered_items(self, request: Request) -> tuple[Response, list[dict[str, Any]]]:
        if problem := invalid(request):
            return problem, []
        if request.first("ids") or any(name.lower() == "ids" for name in request.query):
            return self._by_ids(request)
        parent = request.first("parentId").lower()
        types = wanted_types(request, "includeItemTypes")
        rows: Iterable[Row] = self.persons() if types == {"Person"} else self.rows()
        if parent:
            within = self._within(parent)
            if isinstance(within, Response):
                return within, []
            rows = within
        if types:
            rows = [row for row in rows if row.type in types]
        if person_ids := set(request.listed("personIds", separators=",|")):
            rows = [row for row in rows if row.people() & person_ids]
        if term := request.first("searchTerm").lower():
            rows = [row for row in rows if term in str(row.record(False)["Name"]).lower()]
        since = request.first("minDateLastSaved")
        if since and not (self.old and parent):
            moment = datetime.fromisoformat(since)
            rows = [row for row in rows if row.saved_at is not None and row.saved_at >= moment]
        return self._listed_page(select(rows, request), request)

    def _within(self, parent: str) -> list[Row] | Response:
        """Return the items below a library or a show."""
        if parent in {folder["Id"] for folder in self.folders()} | self.deleted:
            return [row for row in self.rows() if row.library == parent]
        show = next((row for row in self.rows() if row.id == parent and row.type == "Series"), None)
        if show is None:
            return Response.text(
                "Error processing request.", 500 if self.old and parent == _PLACEHOLDER else 400
            )
        if self.old:  # after a scan it no longer knows which item belongs to which show
            return []
        return [row for row in self.rows() if row.record(False).get("SeriesId") == parent]

    def _by_ids(self, request: Request) -> tuple[Response, list[dict[str, Any]]]:
        given = [key.replace("-", "").lower() for key in request.listed("ids")]
        wanted = [key for key in given if self._is_key(key)]
        if not wanted:
            return self._listed_page(root_folders(), request, total=3)
        if self.broken & set(wanted) or (self.old and _PLACEHOLDER in wanted):
            return Response.text("Error processing request.", 500), []
        known = {row.id: row for row in (*self.rows(), *self.persons())}
        return self._listed_page(
            [known[key] for key in wanted if key in known and key not in self.missing], request
        )

    def _is_key(self, text: str) -> bool:
        return _KEY.fullmatch(text) is not None

    def _listed_page(
        self, rows: list[Row], request: Request, total: int | None = None
    ) -> tuple[Response, list[dict[str, Any]]]:
        asked_start = int(request.first("startIndex", "0") or 0)
        start = max(0, asked_start)
        limit = int(request.first("limit", "-1") or -1)
        page = rows[start:] if limit < 0 else rows[start : start + limit]
        fields = self._fields(request)
        if self.broken & {row.id for row in page} and "people" in fields:
            return Response.text("Error processing request.", 500), []
        images = request.first("enableImages", "true").lower() != "false"
        listed = [row.to_json(fields, images=images) for row in page]
        counted = len(rows) if total is None else total
        if request.first("enableTotalRecordCount", "true").lower() == "false" and not self.old:
            counted = start + len(page)
        return listing(listed, counted, asked_start), listed

    async def _work(self, listed: list[dict[str, Any]], begun: float) -> None:
        """Take as long as the server would; two answers at once take as long as two in sequence."""
        people = sum(record["Type"] == "Person" for record in listed)
        seconds = (
            self.seconds_per_credit * sum(len(record.get("People") or ()) for record in listed)
            + self.seconds_per_item * (len(listed) - people)
            + self.seconds_per_person * people
        )
        if seconds:
            taken = asyncio.get_running_loop().time() - begun
            async with self._busy:
                await asyncio.sleep(max(0.0, seconds - taken))

    async def _one(self, key: str) -> Response:
        if not self._is_key(key):
            return validation("itemId", key)
        row = self._row_of(key)
        if row is None:
            placeholder = self.old and key == _PLACEHOLDER
            return (
                Response.text("Error processing request.", 500)
                if placeholder
                else Response.json({"title": "Not Found", "status": 404}, 404)
            )
        return Response.json(row.record(True))

    def _persons(self, request: Request) -> Response:
        start = 0 if self.old else max(0, int(request.first("startIndex", "0") or 0))
        limit = int(request.first("limit", "0") or 0)
        rows = self.persons()
        page = rows[start : start + limit] if limit else rows[start:]
        fields = self._fields(request)
        listed = [row.to_json(fields, images=True) for row in page]
        return listing(listed, len(listed) if self.old else len(rows), start)

    def _of_show(self, key: str, what: str, request: Request) -> Response:
        kind = {"episodes": "Episode", "seasons": "Season"}[what]
        within = self._within(key)
        if isinstance(within, Response):
            return Response(404)
        season, number = request.first("seasonId").replace("-", "").lower(), request.first("season")
        records = [row for row in within if row.type == kind]
        if season:
            records = [row for row in records if row.record(False).get("SeasonId") == season]
        if number:
            records = [row for row in records if str(row.record(False).get("ParentIndexNumber")) == number]
        start, limit = int(request.first("startIndex") or 0), int(request.first("limit") or len(records))
        listed = [row.to_json(self._fields(request), images=True) for row in records[start : start + limit]]
        return listing(listed, len(records), start)


def _without_user(path: list[str]) -> list[str]:
    """Return the current form of an old path below ``/Users/{id}``."""
    return ["userviews"] if path == ["views"] else path
