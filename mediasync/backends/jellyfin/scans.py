"""Whether the server scans its libraries: meanwhile it lists items before it knows who took part in them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from mediasync.backends.jellyfin.client import Client
from mediasync.errors import RequestRefused, SourceForbidden, SourceUnauthorised, SourceUnreadable

_SCAN: Final = "RefreshLibrary"
_IDLE: Final = "Idle"
_NOT_THERE: Final = 404


@dataclass(frozen=True, slots=True)
class Scan:
    """What the server said of its scan of all libraries.

    Attributes:
        running: whether it runs.
        mark: tells one finished scan from the next.
    """

    running: bool = False
    mark: str = ""


class ScanWatch:
    """Asks whether a scan runs, and waits for its end.

    Args:
        client: the server.
        wait: seconds that are spent on waiting in all.
        poll: seconds between two questions while waiting.

    Attributes:
        last: what the server said last.
        answered: whether it answered when it was asked last. If not, a scan may run unnoticed.
        remarks: what people should know; whoever tells it takes it out.
    """

    def __init__(self, client: Client, wait: float, poll: float) -> None:
        self._client = client
        self._seconds_left = wait
        self._poll = poll
        self._may_ask = True
        self._told: set[str] = set()
        self.last = Scan()
        self.answered = False
        self.remarks: list[str] = []

    async def look(self) -> Scan:
        """Ask once. That it cannot be asked is told once; a token that may not ask does not ask again."""
        if self._may_ask:
            self.answered = False
            try:
                tasks = await self._client.fetch_tasks()
            except (SourceUnauthorised, SourceForbidden, SourceUnreadable) as error:
                gone = isinstance(error, RequestRefused) and error.status == _NOT_THERE
                self._may_ask = isinstance(error, SourceUnreadable) and not gone
                self.remark(
                    f"whether a library scan runs cannot be asked ({error.reason}): what is read during one "
                    "may lack people until the next sync, and what has none is read again by it. An API key, "
                    "or an administrator's token, may ask",
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
        """Whether time is left to wait, and the end of a scan can be heard of."""
        return self._may_ask and self._seconds_left > 0

    def announce(self) -> None:
        """Remark, once each, that a running scan is waited for, or that it is not, or not any longer."""
        if self.can_wait:
            self.remark(
                f"a library scan runs on the server: waiting up to {self._seconds_left:.0f} s for its end",
                "waiting",
            )
        else:
            self.remark(
                "a library scan runs on the server: people of what is read meanwhile are taken for a "
                "preview, and the next sync reads it again",
                "preview",
            )

    async def wait(self) -> None:
        """Wait until no scan runs, or the time is over."""
        loop = asyncio.get_running_loop()
        while self.last.running and self.can_wait:
            begun = loop.time()
            await asyncio.sleep(min(self._poll, self._seconds_left))
            await self.look()
            self._seconds_left = max(0.0, self._seconds_left - (loop.time() - begun))
        if self.last.running:
            self.announce()

    def remark(self, text: str, kind: str) -> None:
        """Note a remark, of each kind one."""
        if kind not in self._told:
            self._told.add(kind)
            self.remarks.append(text)
