"""The requests to Plex's own service: codes, tokens, and the servers of an account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.backends.plex.device_key import DeviceKey
from mediasync.backends.transport import Transport
from mediasync.errors import RequestRefused, SourceUnauthorised, SourceUnreadable
from mediasync.settings.distribution import find_version
from mediasync.settings.http import HttpOptions
from mediasync.settings.plex_hosts import PlexHosts

_NOT_FOUND: Final = 404
_USUAL_SECONDS: Final = 900.0
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Pin:
    """A code that somebody approves while signed in to Plex.

    Attributes:
        id: Plex's number of it.
        code: what is shown to the person, or is part of the address that they open.
        seconds: how long it can be approved.
    """

    id: str
    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PlexServer:
    """A Plex Media Server of an account.

    Attributes:
        name: its friendly name.
        id: its machine identifier.
        owned: whether the account owns it; else it is shared with the account.
        urls: its addresses: those in the local network first, relays last.
        token: what this account reads it with; not shown.
    """

    name: str
    id: str
    owned: bool
    urls: tuple[str, ...]
    token: str = field(repr=False)


class PlexCloud:
    """Sends requests to Plex's own service.

    Args:
        hosts: where the service is.
        client_id: identifies this installation; the device is registered under it.
        source_id: the source that errors name.
        options: timeouts and retries.
    """

    def __init__(
        self,
        hosts: PlexHosts,
        client_id: str,
        source_id: str = "plex",
        options: HttpOptions = HttpOptions(),  # noqa: B008 - frozen
    ) -> None:
        self.hosts = hosts
        self.client_id = client_id
        self.source_id = source_id
        headers = {
            "X-Plex-Client-Identifier": client_id,
            "X-Plex-Product": "mediasync",
            "X-Plex-Version": find_version() or "0",
            "X-Plex-Device-Name": "mediasync",
        }
        self._api, self._tv = (
            Transport(source_id, url, headers=headers, concurrency=_AT_ONCE, options=options)
            for url in (hosts.api, hosts.link)
        )

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which requests can be sent."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        async with self._api.open(), self._tv.open():
            yield

    async def request_pin(self, key: DeviceKey | None = None) -> Pin:
        """Ask for a code.

        Args:
            key: the key of this device, which is registered when the code is approved; the code is then long,
                and part of an address. Without one, the code has four characters for ``plex.tv/link``.

        Raises:
            SourceError: if the service cannot be asked.
        """
        if key is None:
            answer = await self._tv.post_json("/api/v2/pins", {}, idempotent=False)
        else:
            body = {"jwk": key.public_jwk(), "strong": True}
            answer = await self._api.post_json("/api/v2/pins", body, idempotent=False)
        record = expect_record(answer, self.source_id, "POST /api/v2/pins")
        number, code = record.key("id"), record.text("code")
        if number is None or not code:
            raise SourceUnreadable(self.source_id, "POST /api/v2/pins was answered without a code")
        seconds = record.integer("expiresIn")
        return Pin(number, code, _USUAL_SECONDS if seconds is None else float(seconds))

    async def sign_nonce(self, key: DeviceKey) -> str:
        """Return the proof that this device has the key; it is valid for five minutes.

        Raises:
            SourceError: if the service cannot be asked.
        """
        return key.sign(await self._fetch_nonce(), self.client_id)

    async def find_token(self, pin: Pin, signed: str | None = None) -> str | None:
        """Return the token of an approved code; None while nobody has approved it.

        Args:
            pin: from `request_pin`.
            signed: the proof that this device has the key with which the code was requested, if it was.

        Raises:
            SourceUnauthorised: if the code has expired.
            SourceError: if the service cannot be asked.
        """
        host, params = self._tv, None
        if signed is not None:
            host, params = self._api, {"deviceJWT": signed}
        path = f"/api/v2/pins/{pin.id}"
        try:
            answer = await host.get_json(path, params, may_hold_secrets=True)
        except RequestRefused as error:
            if error.status != _NOT_FOUND:
                raise
            raise SourceUnauthorised(self.source_id, "the code has expired before it was approved") from error
        return expect_record(answer, self.source_id, f"GET {path}").text("authToken") or None

    async def renew(self, key: DeviceKey) -> str:
        """Return a new token of seven days.

        Raises:
            SourceUnauthorised: if Plex does not know the key any more.
            SourceError: if the service cannot be asked.
        """
        try:
            return await self._renew(key)
        except SourceUnauthorised as error:
            raise SourceUnauthorised(
                self.source_id,
                f"Plex gives this device no new token ({error.reason}): sign in again with mediasync init",
            ) from error

    async def _renew(self, key: DeviceKey) -> str:
        signed = await self.sign_nonce(key)
        answer = await self._api.post_json("/api/v2/auth/token", {"jwt": signed}, idempotent=False)
        token = expect_record(answer, self.source_id, "POST /api/v2/auth/token").text("auth_token")
        if not token:
            raise SourceUnreadable(self.source_id, "POST /api/v2/auth/token was answered without a token")
        return token

    async def list_servers(self, token: str) -> list[PlexServer]:
        """Return the media servers of an account, its own first.

        Args:
            token: the account's.

        Raises:
            SourceError: if the service cannot be asked.
        """
        path = "/api/v2/resources"
        headers = {"X-Plex-Token": token}
        answer = await self._tv.get_json(path, {"includeHttps": 1}, headers=headers)
        if not isinstance(answer, list):
            raise SourceUnreadable(self.source_id, f"GET {path} was not answered with a list")
        records = [JsonRecord(entry) for entry in answer if isinstance(entry, Mapping)]
        servers = [
            _server(record, token)
            for record in records
            if "server" in (record.text("provides") or "").split(",")
        ]
        return sorted(servers, key=lambda server: not server.owned)

    async def _fetch_nonce(self) -> str:
        path = "/api/v2/auth/nonce"
        nonce = expect_record(await self._api.get_json(path), self.source_id, f"GET {path}").text("nonce")
        if not nonce:
            raise SourceUnreadable(self.source_id, f"GET {path} was answered without a nonce")
        return nonce


def _server(record: JsonRecord, token: str) -> PlexServer:
    connections = sorted(record.records("connections"), key=_distance)
    urls = dict.fromkeys(url for each in connections for url in _urls(each))
    return PlexServer(
        name=record.title("name") or "",
        id=record.key("clientIdentifier") or "",
        owned=bool(record.flag("owned")),
        urls=tuple(urls),
        token=record.text("accessToken") or token,
    )


def _distance(connection: JsonRecord) -> tuple[bool, bool]:
    return bool(connection.flag("relay")), not connection.flag("local")


def _urls(connection: JsonRecord) -> list[str]:
    """Return the addresses of a connection: the one whose certificate is valid, then the plain local one."""
    found: list[Any] = [connection.text("uri")]
    address, port = connection.text("address"), connection.integer("port")
    if connection.flag("local") and address and port:
        place = f"[{address}]" if ":" in address else address
        found.append(f"http://{place}:{port}")
    return [url for url in found if url]
