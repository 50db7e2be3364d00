"""Signing in to Jellyfin and Emby: by name and password, and to Jellyfin by Quick Connect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from mediasync.backends.jellyfin.client import JELLYFIN, ApiVariant, introduction
from mediasync.backends.jellyfin.emby import EMBY
from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.backends.transport import Transport
from mediasync.errors import RequestRefused, SourceForbidden, SourceUnauthorised, SourceUnreadable
from mediasync.settings.http import HttpOptions
from mediasync.signing_in.credentials import TOKEN, Challenge, Credentials, Show

QUICK_CONNECT_SECONDS: Final = 600.0
"""How long a code of Quick Connect is valid (QuickConnectManager.cs)."""

_NOT_FOUND: Final = 404


class JellyfinSignIn:
    """Signs in to one Jellyfin or Emby server.

    It keeps the token of the session, and not the password. The token is valid until somebody ends the
    session in the server's dashboard.

    Args:
        url: the address of the server.
        is_emby: whether it is an Emby.
        client_id: identifies this installation; the session belongs to it.
        source_id: the source that errors name.
        options: certificates, timeouts and retries.
        poll: seconds between two questions whether a code was approved.

    Example::

        sign_in = JellyfinSignIn("http://nas:8096", client_id="my-mirror", source_id="home")
        credentials = await sign_in.by_password("anna", "secret")
    """

    def __init__(
        self,
        url: str,
        *,
        is_emby: bool = False,
        client_id: str,
        source_id: str,
        options: HttpOptions = HttpOptions(),  # noqa: B008 - frozen
        poll: float = 1.0,
    ) -> None:
        self._source_id = source_id
        self._variant: ApiVariant = EMBY if is_emby else JELLYFIN
        self._url = url
        self._poll = poll
        self._transport = Transport(
            source_id,
            url.rstrip("/").removesuffix(self._variant.prefix),
            headers={self._variant.sign_in_header: f"{self._variant.scheme} {introduction(client_id)}"},
            concurrency=1,
            options=options,
            secrets=("password",),
        )

    async def by_password(self, username: str, password: str) -> Credentials:
        """Sign in as a user.

        Args:
            username: the user's name.
            password: the user's password; it may be empty.

        Raises:
            SourceUnauthorised: if the server does not accept them.
            SourceError: if the server cannot be asked.
        """
        async with self._transport.open():
            try:
                answer = await self._post("/Users/AuthenticateByName", {"Username": username, "Pw": password})
            except SourceUnauthorised as error:
                raise SourceUnauthorised(
                    self._source_id, f"the server does not accept the user {username!r} with this password"
                ) from error
            return self._credentials(answer, "/Users/AuthenticateByName")

    async def has_quick_connect(self) -> bool:
        """Return whether Quick Connect is switched on. Emby does not have it.

        Raises:
            SourceError: if the server cannot be asked.
        """
        if self._variant is EMBY:
            return False
        async with self._transport.open():
            return bool(await self._transport.get_json("/QuickConnect/Enabled"))

    async def by_quick_connect(self, show: Show) -> Credentials:
        """Sign in as the user who types a code in Jellyfin's own client.

        Args:
            show: shows the code.

        Raises:
            SourceUnauthorised: if Quick Connect is switched off, if the code has expired before somebody
                typed it, or if the server refuses to sign in after that.
            SourceError: if the server cannot be asked.
        """
        async with self._opened_quick_connect() as secret_and_code:
            secret, code = secret_and_code
            show(Challenge(code, f"{self._url}/web/#/quickconnect", QUICK_CONNECT_SECONDS))
            await self._wait_for_approval(secret)
            path = "/Users/AuthenticateWithQuickConnect"
            try:
                answer = await self._post(path, {"Secret": secret})
            except (SourceUnauthorised, SourceForbidden, RequestRefused) as error:
                raise SourceUnauthorised(
                    self._source_id, f"the server refuses the sign-in by Quick Connect ({error.reason})"
                ) from error
            return self._credentials(answer, path)

    @asynccontextmanager
    async def _opened_quick_connect(self) -> AsyncIterator[tuple[str, str]]:
        async with self._transport.open():
            try:
                answer = await self._post("/QuickConnect/Initiate", {})
            except SourceUnauthorised as error:
                raise SourceUnauthorised(
                    self._source_id,
                    "Quick Connect is switched off on this server: switch it on (Dashboard, General), or "
                    "sign in by password",
                ) from error
            begun = expect_record(answer, self._source_id, "POST /QuickConnect/Initiate")
            secret, code = begun.text("Secret"), begun.text("Code")
            if not secret or not code:
                raise SourceUnreadable(
                    self._source_id, "POST /QuickConnect/Initiate was answered without a code"
                )
            yield secret, code

    async def _wait_for_approval(self, secret: str) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + QUICK_CONNECT_SECONDS
        while not await self._is_approved(secret):
            if clock() >= end:
                raise self._expired()
            await asyncio.sleep(self._poll)

    async def _is_approved(self, secret: str) -> bool:
        path = "/QuickConnect/Connect"
        try:
            answer = await self._transport.get_json(path, {"secret": secret}, may_hold_secrets=True)
        except RequestRefused as error:
            if error.status != _NOT_FOUND:
                raise
            raise self._expired() from error
        return bool(expect_record(answer, self._source_id, f"GET {path}").flag("Authenticated"))

    def _expired(self) -> SourceUnauthorised:
        return SourceUnauthorised(
            self._source_id, "the code has expired before somebody typed it: begin again"
        )

    async def _post(self, path: str, body: dict[str, str]) -> Any:
        return await self._transport.post_json(self._variant.prefix + path, body, idempotent=False)

    def _credentials(self, answer: Any, path: str) -> Credentials:
        record: JsonRecord = expect_record(answer, self._source_id, f"POST {path}")
        token = record.text("AccessToken")
        if not token:
            raise SourceUnreadable(self._source_id, f"POST {path} was answered without a token")
        return Credentials({TOKEN: token})
