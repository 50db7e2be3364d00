"""Signing in to Plex: by a key pair that is approved in the browser, or by a code of four characters."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from mediasync.backends.plex.client import open_container
from mediasync.backends.plex.cloud import Pin, PlexCloud, PlexServer
from mediasync.backends.plex.device_key import DeviceKey
from mediasync.backends.transport import Transport
from mediasync.errors import SourceUnauthorised
from mediasync.settings.http import HttpOptions
from mediasync.signing_in.credentials import KEY, TOKEN, Challenge, Credentials, Show

_SIGNED_AGAIN_AFTER: Final = 240.0
"""Seconds: the proof of the key is valid for 300."""


@dataclass(frozen=True, slots=True)
class PlexAccount:
    """An account of Plex that this device is signed in to.

    Attributes:
        token: the account's token; not shown.
        key: the key of this device; None if it signed in by a code of four characters.
        servers: the media servers that the account may read, its own first.
        is_given: whether somebody gave the token, instead of signing in. It is then meant for any server.
    """

    token: str = field(repr=False)
    key: DeviceKey | None
    servers: tuple[PlexServer, ...]
    is_given: bool = False

    def credentials(self, server: PlexServer | None = None) -> Credentials:
        """Return what to read a server with.

        Args:
            server: one of `servers`. Without a key, its own token is used: it is valid for this server alone.
        """
        if self.key is not None:
            return Credentials({TOKEN: self.token, KEY: self.key.text()})
        return Credentials({TOKEN: self.token if server is None else server.token})

    def server_at(self, machine_id: str) -> PlexServer | None:
        """Return the server with this id, or None if the account has none."""
        return next((server for server in self.servers if server.id == machine_id), None)


async def fetch_machine_id(url: str, *, source_id: str, options: HttpOptions) -> str:
    """Return the id that a Plex Media Server has for itself. No token is sent.

    Args:
        url: its address.
        source_id: the source that errors name.
        options: certificates, timeouts and retries.

    Raises:
        SourceError: if it cannot be asked.
    """
    transport = Transport(source_id, url, headers={}, concurrency=1, options=options)
    async with transport.open():
        identity = open_container(await transport.get_json("/identity"), source_id, "GET /identity")
    return identity.key("machineIdentifier") or ""


class PlexSignIn:
    """Signs in to an account of Plex.

    Args:
        cloud: Plex's own service; not open.
        poll: seconds between two questions whether a code was approved.

    Example::

        sign_in = PlexSignIn(PlexCloud(PlexHosts(), "my-mirror"))
        account = await sign_in.by_pin(lambda challenge: print(challenge.url, challenge.code))
    """

    def __init__(self, cloud: PlexCloud, poll: float = 1.0) -> None:
        self._cloud = cloud
        self._poll = poll

    async def by_pin(self, show: Show) -> PlexAccount:
        """Sign in as the user who types a code on ``plex.tv/link``. The token is valid until it is revoked.

        Args:
            show: shows the code.

        Raises:
            SourceUnauthorised: if the code has expired before somebody typed it.
            SourceError: if Plex cannot be asked.
        """
        async with self._cloud.open():
            pin = await self._cloud.request_pin()
            show(Challenge(pin.code, self._cloud.hosts.link_page, pin.seconds))
            token = await self._wait(pin, None)
            return PlexAccount(token, None, tuple(await self._cloud.list_servers(token)))

    async def by_key(self, show: Show) -> PlexAccount:
        """Register a new key of this device, as the user who approves it in the browser.

        The token is valid for seven days; with the key, each sync renews it in time.

        Args:
            show: shows the address to open.

        Raises:
            UsageError: if the extra ``plex`` is not installed.
            SourceUnauthorised: if nobody has approved the device in time.
            SourceError: if Plex cannot be asked.
        """
        key = DeviceKey.generate()
        async with self._cloud.open():
            pin = await self._cloud.request_pin(key)
            query = urlencode(
                {
                    "clientID": self._cloud.client_id,
                    "code": pin.code,
                    "context[device][product]": "mediasync",
                }
            )
            show(Challenge("", f"{self._cloud.hosts.web}/auth#?{query}", pin.seconds))
            token = await self._wait(pin, key)
            return PlexAccount(token, key, tuple(await self._cloud.list_servers(token)))

    async def _wait(self, pin: Pin, key: DeviceKey | None) -> str:
        clock = asyncio.get_running_loop().time
        end, signed, signed_at = clock() + pin.seconds, None, 0.0
        while True:
            if key is not None and (signed is None or clock() - signed_at > _SIGNED_AGAIN_AFTER):
                signed, signed_at = await self._cloud.sign_nonce(key), clock()
            if token := await self._cloud.find_token(pin, signed):
                return token
            if clock() >= end:
                raise SourceUnauthorised(
                    self._cloud.source_id, "the code has expired before it was approved: begin again"
                )
            await asyncio.sleep(self._poll)
