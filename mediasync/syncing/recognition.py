"""Items whose key changed: a renamed file, a film that was refreshed, a second film in a folder.

A backend names items by the source's own keys. An item with an unknown key may be new, or a stored item
whose key changed. Only the whole listing decides: a stored item whose key is still listed is never taken
over, so two copies of a film stay two items, whatever they share.

Items with new keys that share something with a stored item therefore wait until all libraries are listed.
They wait in a temporary file, not in memory. All other items are saved as they come.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import IO, Final, NamedTuple

from pydantic import TypeAdapter

from mediasync.aio import batched
from mediasync.database.database import Database
from mediasync.errors import InvalidItem
from mediasync.ids import make_id, split_id
from mediasync.models import AnyMediaItem, Episode, MediaItem, Season
from mediasync.reports import SaveReport
from mediasync.repositories.items import ItemState, MediaRepository
from mediasync.repositories.recognition import Evidence, Match, RecognitionRepository
from mediasync.rows import VALUE_COLUMNS, NormalItem
from mediasync.saving.normal import normal_item
from mediasync.syncing.sink import Sink
from mediasync.syncing.tally import LibraryTally
from mediasync.vocabulary import LEVELS

_PAGE: Final = 200
_NAMED: Final = 10
_LARGEST_IN_MEMORY: Final = 4 * 1024 * 1024


@cache
def _item_adapter() -> TypeAdapter[MediaItem]:
    """Return what writes and reads waiting items. Most runs have none, and making it takes 4 ms."""
    return TypeAdapter(AnyMediaItem)


class _Waiting(NamedTuple):
    """An item that waits, with the full id of the library that lists it."""

    item: MediaItem
    library_id: str


class _Spool:
    """Items in a temporary file, in the order in which they came."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_LARGEST_IN_MEMORY)  # noqa: SIM115 - see close
        self.count = 0

    def add(self, item: MediaItem, library_id: str) -> None:
        text = _item_adapter().dump_json(item, exclude={"cast", "crew"})
        self._file.write(library_id.encode() + b"\0" + text + b"\n")
        self.count += 1

    def pages(self) -> Iterator[list[_Waiting]]:
        self._file.seek(0)
        return batched(map(_waiting, self._file), _PAGE)

    def close(self) -> None:
        self._file.close()


def _waiting(line: bytes) -> _Waiting:
    library_id, _, text = line.partition(b"\0")
    return _Waiting(_item_adapter().validate_json(text), library_id.decode())


class Recognition:
    """Recognises stored items of one source whose key changed, in one run.

    Args:
        database: an open database.
        sink: what saves the items, or compares them.
        source_id: the source.

    Example::

        sink = Saving(writer, media, "home")
        async with Recognition(database, sink, "home") as recognition:
            items = recognition.pass_on(found, library_id, tokens)   # for each library
            await recognition.settle(libraries, report, remark)
    """

    def __init__(self, database: Database, sink: Sink, source_id: str) -> None:
        self._database = database
        self._sink = sink
        self._source_id = source_id
        self._spools: list[_Spool] = []
        self._waiting: set[str] = set()
        self._named_elsewhere: set[str] = set()
        self._has_items = False

    async def __aenter__(self) -> Recognition:
        async with self._database.read() as session:
            self._has_items = await RecognitionRepository(session).has_items(self._source_id)
        self._spools = [_Spool() for _ in LEVELS]
        return self

    async def __aexit__(self, *_: object) -> None:
        for spool in self._spools:
            spool.close()

    async def pass_on(
        self, items: AsyncIterator[MediaItem], library_id: str, stored: Collection[str]
    ) -> AsyncIterator[MediaItem]:
        """Pass on items that can be saved at once, and keep items that may be stored under another key.

        Args:
            items: as the library lists them.
            library_id: the library's full id.
            stored: the keys of the library's stored items.
        """
        page: dict[str, MediaItem] = {}
        try:
            async for item in items:
                parent = _parent(item)
                is_stored = item.remote_id in stored and parent not in self._waiting and parent not in page
                if is_stored or not self._has_items:
                    yield item
                    continue
                page[item.remote_id] = item
                if len(page) == _PAGE:
                    for ready in await self._sort(page.values(), library_id, stored):
                        yield ready
                    page = {}
        except Exception:
            # What was read before the library failed is saved.
            for ready in await self._sort(page.values(), library_id, stored):
                yield ready
            raise
        for ready in await self._sort(page.values(), library_id, stored):
            yield ready

    async def _sort(
        self, page: Iterable[MediaItem], library_id: str, stored: Collection[str]
    ) -> list[MediaItem]:
        """Keep the items that may be stored under another key, and return the others."""
        usable: dict[str, Evidence] = {}
        ready: list[MediaItem] = []
        items: list[MediaItem] = []
        for item in page:
            try:
                usable[item.remote_id] = _evidence(normal_item(item, self._source_id, library_id))
            except InvalidItem:
                ready.append(item)  # its save reports what is wrong with it
            else:
                items.append(item)
        if not items:
            return ready
        items.sort(key=lambda item: item.media_type.level)
        new = [item for item in items if item.remote_id not in stored]
        async with self._database.read(snapshot=True) as session:
            current, _ = await MediaRepository(session).find_current_states(
                [self._id(item.remote_id) for item in new]
            )
            new = [item for item in new if self._id(item.remote_id) not in current]
            matches = await RecognitionRepository(session).find_matches(
                self._source_id, [usable[item.remote_id] for item in new]
            )
        self._named_elsewhere |= {split_id(current_id)[1] for current_id in current}
        matched = {new[match.place].remote_id for match in matches}
        for item in items:
            if item.remote_id in matched or _parent(item) in self._waiting:
                self._spools[item.media_type.level].add(item, library_id)
                self._waiting.add(item.remote_id)
            else:
                ready.append(item)
        return ready

    @property
    def is_undecided(self) -> bool:
        """Whether items wait that may be stored under other keys."""
        return any(spool.count for spool in self._spools)

    def leave(self, remark: Callable[[str, str], None]) -> None:
        """Report the waiting items, which cannot be decided and saved because not everything was listed.

        Args:
            remark: called with a library's id and a text for people.
        """
        keys: dict[str, list[str]] = {}
        for spool in self._spools:
            for page in spool.pages():
                for item, library_id in page:
                    keys.setdefault(library_id, []).append(item.remote_id)
        for library_id, of_library in keys.items():
            named = ", ".join(of_library[:_NAMED])
            more = f" and {len(of_library) - _NAMED:,} more" if len(of_library) > _NAMED else ""
            text = (
                f"{named}{more}: probably stored already, under another key. A sync that lists all "
                "libraries to their ends decides that, and saves the items"
            )
            remark(library_id, text)

    async def move_homes(self, libraries: Sequence[LibraryTally]) -> None:
        """Remove items from libraries that no longer list them, if other libraries do.

        An item that loses its home library gets the first of the others as its home.

        Args:
            libraries: what was seen of all libraries of the source.
        """
        listing = {library.library_id: library for library in libraries if not library.is_absent}
        for library in libraries:
            unnamed = sorted(library.unnamed) if library.proves else []
            for page in batched(unnamed, _PAGE):
                await self._move_page(page, library, listing)

    async def _move_page(
        self, remote_ids: Sequence[str], library: LibraryTally, listing: Mapping[str, LibraryTally]
    ) -> None:
        async with self._database.read() as session:
            states, _ = await MediaRepository(session).find_current_states(
                [self._id(remote_id) for remote_id in remote_ids]
            )
        homes: list[tuple[str, str]] = []
        left: list[tuple[str, str]] = []
        for remote_id in remote_ids:
            state = states.get(self._id(remote_id))
            others = [
                library_id
                for library_id, other in listing.items()
                if state and library_id in state.library_ids and remote_id not in other.unnamed
            ]
            if state is None or not others:
                continue
            library.unnamed.discard(remote_id)
            if state.library_id == library.library_id:
                homes.append((state.id, others[0]))
            else:
                left.append((state.id, library.library_id))
        if homes or left:
            await self._sink.move(homes, left)

    async def settle(
        self, libraries: Sequence[LibraryTally], report: SaveReport, remark: Callable[[str, str], None]
    ) -> None:
        """Save the waiting items: each as the stored item that it is, or as a new one.

        Args:
            libraries: what was seen of all libraries of the source.
            report: where the saves are counted.
            remark: called with an item's id and what people should know of it.
        """
        proof = _Proof(libraries, self._named_elsewhere)
        for spool in self._spools:
            taken = await self._recognise(spool, proof, remark) if spool.count else {}
            for part in batched(taken.values(), _PAGE):
                await self._sink.take_over(part)
            for item_id, _, _ in taken.values():
                proof.forget(item_id)
            for page in spool.pages():
                await self._save(page, report)

    async def _recognise(
        self, spool: _Spool, proof: _Proof, remark: Callable[[str, str], None]
    ) -> dict[int, tuple[str, str, str]]:
        """Return the stored id, the new key and the library of each recognised item, by its place."""
        keys: list[tuple[str, str]] = []
        pairs: list[Match] = []
        for page in spool.pages():
            first = len(keys)
            keys += [(waiting.item.remote_id, waiting.library_id) for waiting in page]
            async with self._database.read(snapshot=True) as session:
                found = await RecognitionRepository(session).find_matches(
                    self._source_id,
                    [self._present_evidence(item, library_id) for item, library_id in page],
                )
                states = await MediaRepository(session).find_states(
                    sorted({match.item_id for match in found})
                )
            pairs += [
                replace(match, place=first + match.place)
                for match in found
                if match.item_id in states and proof.is_gone(states[match.item_id], match.remote_id)
            ]
            await asyncio.sleep(0)
        taken = _matched(pairs)
        for place in sorted({match.place for match in pairs} - taken.keys()):
            others = sorted({match.item_id for match in pairs if match.place == place})
            text = f"it may be {' or '.join(others)}, which is not listed any more; it is saved as a new item"
            remark(self._id(keys[place][0]), text)
        return {place: (item_id, *keys[place]) for place, item_id in taken.items()}

    def _present_evidence(self, item: MediaItem, library_id: str) -> Evidence:
        evidence = _evidence(normal_item(item, self._source_id, library_id))
        parent_id = evidence.parent_id and self._sink.stored_id(evidence.parent_id)
        return replace(evidence, parent_id=parent_id)

    async def _save(self, page: Sequence[_Waiting], report: SaveReport) -> None:
        by_library: dict[str, list[MediaItem]] = {}
        for waiting in page:
            by_library.setdefault(waiting.library_id, []).append(waiting.item)
        for library_id, items in by_library.items():
            await self._sink.save(items, library_id, report)

    def _id(self, remote_id: str) -> str:
        return make_id(self._source_id, remote_id)


class _Proof:
    """What the listings of a run prove about stored items.

    Args:
        libraries: what was seen of them.
        named_elsewhere: the keys of stored items that were listed by a library that did not hold them before.
    """

    def __init__(self, libraries: Iterable[LibraryTally], named_elsewhere: Collection[str]) -> None:
        self._libraries: Mapping[str, LibraryTally] = {library.library_id: library for library in libraries}
        self._named_elsewhere = named_elsewhere
        self._keys: dict[str, str] = {}

    def is_gone(self, state: ItemState, remote_id: str) -> bool:
        """Return whether no library lists a stored item any more."""
        if remote_id in self._named_elsewhere:
            return False
        for library_id in () if state.missing else state.library_ids:
            library = self._libraries.get(library_id)
            if library is None or not library.proves or remote_id not in library.unnamed:
                return False
        self._keys[state.id] = remote_id
        return True

    def forget(self, item_id: str) -> None:
        """Note that an item is listed, under another key."""
        for library in self._libraries.values():
            library.unnamed.discard(self._keys[item_id])


def _matched(pairs: Iterable[Match]) -> dict[int, str]:
    """Return the stored item that each waiting item is, by its place.

    The strongest evidence counts first. A pair is taken only if neither item has another partner by the same
    evidence; nothing is guessed.
    """
    taken: dict[int, str] = {}
    used: set[str] = set()
    by_rank: dict[int, list[Match]] = {}
    for pair in pairs:
        by_rank.setdefault(pair.rank, []).append(pair)
    for rank in sorted(by_rank):
        left = [pair for pair in by_rank[rank] if pair.place not in taken and pair.item_id not in used]
        places, items = Counter(pair.place for pair in left), Counter(pair.item_id for pair in left)
        for pair in left:
            if places[pair.place] == items[pair.item_id] == 1:
                taken[pair.place] = pair.item_id
                used.add(pair.item_id)
    return taken


def _evidence(item: NormalItem) -> Evidence:
    values = dict(zip(VALUE_COLUMNS, item.values, strict=True))
    return Evidence(
        item.media_type,
        values["path"],
        dict(item.external_ids),
        item.parent_id,
        values["season_number"],
        values["episode_number"],
    )


def _parent(item: MediaItem) -> str | None:
    return item.parent_remote_id if isinstance(item, Season | Episode) else None
