"""The token of a device that signs in with its key: read from its file, and renewed before it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mediasync.backends.plex.cloud import PlexCloud
from mediasync.backends.plex.device_key import DeviceKey, ends_at
from mediasync.errors import SourceError
from mediasync.settings.secret_files import write_secret

_log: Final = logging.getLogger("mediasync.plex")

RENEWED_BEFORE: Final = timedelta(days=1)
"""A token that ends within this time is renewed before a sync begins, because a sync may take hours."""


class DeviceTokens:
    """Gives a Plex source its token.

    Args:
        cloud: Plex's own service, which gives new tokens; not open.
        key: the key of this device.
        token: the token that is stored; None if there is none.
        file: where a new token is stored. If that is not possible, the log says so, and the next sync asks
            for another one.
        clock: gives the time.
    """

    def __init__(
        self,
        cloud: PlexCloud,
        key: DeviceKey,
        token: str | None,
        file: Path | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cloud = cloud
        self._key = key
        self._token = token
        self._file = file
        self._clock = clock

    async def current(self) -> str:
        """Return a token that does not end soon. If Plex cannot be asked, one that has not ended yet will do.

        Raises:
            SourceError: if there is none, and Plex cannot be asked for one or gives none.
        """
        end = ends_at(self._token) if self._token else None
        if self._token and (end is None or end - self._clock() > RENEWED_BEFORE):
            return self._token
        try:
            return await self.renew()
        except SourceError as error:
            if not self._token or end is None or end <= self._clock():
                raise
            _log.warning("%s; the present token is valid until %s", error, end.isoformat(timespec="minutes"))
            return self._token

    async def renew(self) -> str:
        """Return a new token, and store it.

        Raises:
            SourceError: if Plex cannot be asked, or does not know the key any more.
        """
        async with self._cloud.open():
            token = self._token = await self._cloud.renew(self._key)
        if self._file is not None:
            try:
                write_secret(self._file, token)
            except OSError as error:
                _log.warning(
                    "source %r: its new token cannot be stored in %s (%s): each sync will ask Plex for one",
                    self._cloud.source_id,
                    self._file,
                    error.strerror or error,
                )
        return token
