"""A source for dlt (data load tool): items, people and credits, first all of them, then what changed.

It needs the extra ``dlt``.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from mediasync.aio import Signal
from mediasync.database.database import Database
from mediasync.errors import ChangesPruned, ConfigurationError, UsageError
from mediasync.library.changes import ChangeReads
from mediasync.library.replication import PAGE, Changed, ReplicationReads
from mediasync.repositories.replication import (
    CREDIT_COLUMNS,
    ITEM_COLUMNS,
    PERSON_COLUMNS,
    TIMES,
    Row,
)
from mediasync.settings.database import DatabaseOptions
from mediasync.settings.distribution import install_command

try:
    import dlt
    from dlt.extract import DltResource
except ImportError as error:
    raise ConfigurationError(
        f"mediasync.integrations.dlt needs dlt, which is not installed: {install_command('dlt')}"
    ) from error

__all__ = ["mediasync_source"]

T = TypeVar("T")

REMOVED: Final = "is_removed"
"""The column that tells dlt to delete a row. It is empty in all rows that stay."""

_LAST_CHANGE: Final = "last_change"
_INTEGERS: Final = frozenset(
    {
        "year",
        "runtime_seconds",
        "season_number",
        "episode_number",
        "episode_number_end",
        "sort_order",
    }
)


@dlt.source(name="mediasync", max_table_nesting=0)
def mediasync_source(url: str = dlt.secrets.value) -> tuple[DltResource, ...]:
    """Return a dlt source with the resources ``items``, ``people`` and ``credits``.

    The first load reads everything. Each later one reads the change log from where the last one ended, and
    only the rows that changed; what is no longer shown is deleted at the destination. The columns are those
    of the views ``media_items``, ``people`` and ``media_people``. The credits of an item are replaced as a
    whole.

    Args:
        url: the URL of the database, which is only read. Without it, dlt takes ``sources.mediasync.url`` from
            its configuration.

    Raises:
        UsageError: while it is loaded, if the change log no longer reaches back to the last load, a source
            was renamed since, or the database is another one. The message says how everything is loaded anew.
        DatabaseError: while it is loaded, if the database fails.

    Example:
        >>> pipeline = dlt.pipeline("films", destination="duckdb", dataset_name="mirror")  # doctest: +SKIP
        >>> pipeline.run(mediasync_source("sqlite:///media.db"))  # doctest: +SKIP
    """

    @dlt.resource(
        name="items",
        write_disposition="merge",
        primary_key="id",
        columns=_columns(ITEM_COLUMNS),
    )
    def items() -> Iterator[list[Row]]:
        with _reading(url) as mirror:
            for ids in mirror.pages("items"):
                found = mirror.run(mirror.reads.find_items(ids))
                yield found + _removals("id", ids, {row["id"] for row in found})

    @dlt.resource(
        name="people",
        write_disposition="merge",
        primary_key="id",
        columns=_columns(PERSON_COLUMNS),
    )
    def people() -> Iterator[list[Row]]:
        with _reading(url) as mirror:
            for ids in mirror.pages("people"):
                found = mirror.run(mirror.reads.find_people(ids))
                for row in found:
                    row["provider_ids"] = row["provider_ids"] and json.loads(row["provider_ids"])
                yield found + _removals("id", ids, {row["id"] for row in found})

    @dlt.resource(
        name="credits",
        write_disposition="merge",
        merge_key="media_item_id",
        columns=_columns(CREDIT_COLUMNS),
    )
    def credited() -> Iterator[list[Row]]:
        with _reading(url) as mirror:
            for ids in mirror.pages("items"):
                found = mirror.run(mirror.reads.find_credits(ids))
                removed = _removals("media_item_id", ids, {row["media_item_id"] for row in found})
                yield found + (removed if mirror.goes_on else [])

    return items, people, credited


def _columns(names: tuple[str, ...]) -> Any:
    hints: dict[str, dict[str, Any]] = {}
    for name in names:
        kind = "timestamp" if name in TIMES else "bigint" if name in _INTEGERS else "text"
        hints[name] = {"data_type": "json" if name == "provider_ids" else kind}
    hints[REMOVED] = {"data_type": "bool", "hard_delete": True}
    return hints


def _removals(key: str, wanted: list[str], found: set[str]) -> list[Row]:
    return [{key: each, REMOVED: True} for each in wanted if each not in found]


class _Mirror:
    """A mirror that is read without ``await``: its event loop runs in a thread of its own.

    dlt takes rows from a generator that must not wait for an event loop which may be that of its caller.
    """

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._state = dlt.current.resource_state()
        self.goes_on = _LAST_CHANGE in self._state
        self.database = Database(url, read_only=True, options=DatabaseOptions(readers=1))
        self.reads = ReplicationReads(self.database, ChangeReads(self.database, Signal()))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def pages(self, entity: str) -> Iterator[list[str]]:
        """Yield the ids of all rows or, after the first load, of those that may have changed, page by page.

        When all were taken, the number of the last change is remembered for the next load. It was read before
        the rows, so what changes meanwhile is read again then.
        """
        if not self.goes_on:
            newest = self.run(self.reads.find_newest())
            ids = self.reads.iter_item_ids() if entity == "items" else self.reads.iter_person_ids()
            while page := self.run(_next(ids)):
                yield page
        else:
            changed = self._find_changed(self._state[_LAST_CHANGE])
            newest = changed.newest
            wanted = sorted(changed.items if entity == "items" else changed.people)
            for at in range(0, len(wanted), PAGE):
                yield wanted[at : at + PAGE]
        self._state[_LAST_CHANGE] = newest

    def _find_changed(self, after: int) -> Changed:
        try:
            return self.run(self.reads.find_changed(after))
        except UsageError as error:
            reason = "" if not isinstance(error, ChangesPruned) else "the last load is too long ago: "
            raise UsageError(
                f"{reason}{error}. Load everything anew: pipeline.run(…, refresh='drop_sources')"
            ) from error


async def _next(pages: AsyncIterator[list[str]]) -> list[str]:
    return await anext(pages, [])


@contextmanager
def _reading(url: str) -> Iterator[_Mirror]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mediasync for dlt")
    thread.start()
    try:
        mirror = _Mirror(url, loop)
        mirror.run(mirror.database.open())
        try:
            yield mirror
        finally:
            mirror.run(mirror.database.close())
            mirror.run(loop.shutdown_asyncgens())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
