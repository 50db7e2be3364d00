"""Library scans: while the server scans its files, it lists items before it knows their people."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from mediasync.backends.jellyfin.client import Client
from mediasync.errors import RequestRefused, SourceForbidden, SourceUnauthorised, SourceUnreadable

_SCAN: Final = "RefreshLibrary"
_IDLE: Final = "Idle"
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Scan:
    """The state of the server's scan of all libraries.

    Attributes:
        running: whether a scan is running.
        mark: differs from one finished scan to the next.
    """

    running: bool = False
    mark: str = ""


class ScanWatch:
    """Asks whether a scan is running, and waits for its end.

    Args:
        client: the server.
        wait: the longest time to wait, in seconds, for all scans together.
        poll: seconds from one request to the next while waiting.

    Attributes:
        last: the server's last answer.
        answered: whether it answered the last request. If not, a scan may run unnoticed.
    """

    def __init__(self, client: Client, wait: float, poll: float) -> None:
        self._client = client
        self._seconds_left = wait
        self._poll = poll
        self._may_ask = True
        self._remarked: set[str] = set()
        self._remarks: list[str] = []
        self.last = Scan()
        self.answered = False

    async def look(self) -> Scan:
        """Ask once, and return the answer.

        A failure is remarked once. If the token may not ask, the server is not asked again.
        """
        if self._may_ask:
            self.answered = False
            try:
                tasks = await self._client.fetch_tasks()
            except (SourceUnauthorised, SourceForbidden, SourceUnreadable) as error:
                missing = isinstance(error, RequestRefused) and error.status == _NOT_FOUND
                self._may_ask = isinstance(error, SourceUnreadable) and not missing
                self.remark(
                    f"the server cannot be asked whether a library scan is running ({error.reason}): items "
                    "that are read during a scan may lack people until the next sync, which reads items "
                    "without people again. An API key or an administrator's token may ask",
                    "unknown",
                )
            else:
                self.answered = True
                task = next((task for task in tasks if task.text("Key") == _SCAN), None)
                if task is not None:
                    result = task.record("LastExecutionResult")
                    mark = result.text("EndTimeUtc") if result else None
                    self.last = Scan(task.text("State") != _IDLE, mark or "")
        return self.last

    @property
    def can_wait(self) -> bool:
        """Whether there is time left to wait, and the server says when a scan ends."""
        return self._may_ask and self._seconds_left > 0

    def announce(self) -> None:
        """Remark that a running scan is waited for, or that it is not waited for any longer; each once."""
        if self.can_wait:
            self.remark(
                f"the server is scanning its libraries: waiting up to {self._seconds_left:.0f} s for the end",
                "waiting",
            )
        else:
            self.remark(
                "the server is scanning its libraries: the people of items that are read now count as a "
                "preview, and the next sync reads these items again",
                "preview",
            )

    async def wait(self) -> None:
        """Wait until no scan is running, or the time is used up."""
        loop = asyncio.get_running_loop()
        while self.last.running and self.can_wait:
            begun = loop.time()
            await asyncio.sleep(min(self._poll, self._seconds_left))
            await self.look()
            self._seconds_left = max(0.0, self._seconds_left - (loop.time() - begun))
        if self.last.running:
            self.announce()

    def remark(self, text: str, kind: str) -> None:
        """Note a remark for `take_remarks`, only the first of each *kind*."""
        if kind not in self._remarked:
            self._remarked.add(kind)
            self._remarks.append(text)

    def take_remarks(self) -> list[str]:
        """Return the remarks noted since the last call."""
        remarks, self._remarks = self._remarks, []
        return remarks
