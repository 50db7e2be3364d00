"""Which stored items a sync may remove: only what complete listings prove, and not too many at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from mediasync.aio import batched
from mediasync.database.database import Database
from mediasync.errors import UsageError
from mediasync.ids import make_id
from mediasync.models import PendingRemoval
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.removal import RemovalRepository
from mediasync.syncing.sink import PendingRow, Sink
from mediasync.syncing.tally import LibraryTally

_PAGE: Final = 500
_NAMED: Final = 10
_ITEMS: Final = re.compile(r"\d{1,18}")
_SHARE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%")


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """How many items of one library a sync may remove without asking.

    Attributes:
        items: so many, whatever their share; None for no such number.
        share: so many percent of what is stored of the library; None for no such share.
        everything: also a library that lists nothing, or that the source no longer lists.
    """

    items: int | None = None
    share: float | None = None
    everything: bool = False

    @classmethod
    def parse(cls, text: str) -> RemovalLimit:
        """Return the limit that *text* names. Whoever names one confirms removals up to it, of any kind.

        Args:
            text: ``all``, a number of items, or a percentage.

        Raises:
            UsageError: if it is none of these.

        Example:
            >>> RemovalLimit.parse("50"), RemovalLimit.parse("12.5 %").share
            (RemovalLimit(items=50, share=None, everything=True), 12.5)
        """
        text = text.strip()
        if text.casefold() == "all":
            return cls(share=100.0, everything=True)
        if _ITEMS.fullmatch(text):
            return cls(items=int(text), everything=True)
        if (share := _SHARE.fullmatch(text)) and float(share[1]) <= 100:
            return cls(share=float(share[1]), everything=True)
        raise UsageError(
            f"{text!r} is not a limit of removals: write a number of items (50), a percentage (20%) or all"
        )

    def allows(self, number: int, stored: int) -> bool:
        """Return whether *number* of *stored* items may be removed."""
        by_number = self.items is not None and number <= self.items
        by_share = self.share is not None and number <= stored * self.share / 100
        return by_number or by_share


DEFAULT_LIMIT: Final = RemovalLimit(items=20, share=20.0)
"""More than 20 items that are also more than 20 % of a library are removed only if somebody confirms it."""


@dataclass(frozen=True, slots=True)
class Removals:
    """What a run decided.

    Attributes:
        marked: the ids of the items that are marked as missing, or would be.
        asked: the removals that have to be confirmed, if this run is the first to find them.
    """

    marked: Sequence[str] = ()
    asked: Sequence[PendingRemoval] = ()


@dataclass(slots=True)
class _Candidates:
    """The stored items of one library that are not listed any more.

    Attributes:
        library: what the run saw of it.
        keys: their present keys, by id.
    """

    library: LibraryTally
    keys: Mapping[str, str]

    @property
    def ids(self) -> list[str]:
        """Their ids, sorted."""
        return sorted(self.keys)

    def reason(self, limit: RemovalLimit) -> str:
        """Return why these items may not be removed without confirmation; empty if they may."""
        number, stored = len(self.keys), self.library.stored
        if not limit.everything:
            if not self.library.is_listed:
                return "the source does not list the library any more"
            if not self.library.seen:
                return "the library lists no items (is a folder or a disk missing?)"
        if limit.allows(number, stored):
            return ""
        return f"a sync removes at most {_in_words(limit)} of a library without confirmation"

    @property
    def digest(self) -> str:
        """A short text that is equal for equal items."""
        return blake2b("\0".join(self.ids).encode(), digest_size=16).hexdigest()


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return f"{', '.join(ids[:_NAMED])}{more}"


def _in_doubt(number: int, unplaced: int) -> str:
    items = f"{number:,} stored items are" if number > 1 else "1 stored item is"
    entries = f"{unplaced:,} entries" if unplaced > 1 else "1 entry"
    return (
        f"{items} not listed any more. None is removed, because {entries} of the library could not be read, "
        "and may be such an item"
    )


def _in_words(limit: RemovalLimit) -> str:
    items = "" if limit.items is None else f"{limit.items:,} items"
    share = "" if limit.share is None else f"{limit.share:g} % of the items"
    return " or ".join(part for part in (items, share) if part)


class RemovalDecision:
    """Decides what one run of a whole source removes.

    Args:
        database: an open database.
        sink: what marks the items, or only reports them.
        source_id: the source.
        limit: how much may be removed without confirmation.
    """

    def __init__(self, database: Database, sink: Sink, source_id: str, limit: RemovalLimit) -> None:
        self._database = database
        self._sink = sink
        self._source_id = source_id
        self._limit = limit

    async def decide(
        self, run_id: int, libraries: Sequence[LibraryTally], remark: Callable[[str, str], None]
    ) -> Removals:
        """Mark what is proved to be removed, after all recognised items have their new keys.

        Args:
            run_id: the run; 0 in a dry run.
            libraries: what was seen of all libraries of the source, read or not.
            remark: called with a library's id and what people should know.
        """
        candidates = [
            _Candidates(library, await self._find_removed(library, libraries))
            for library in libraries
            if library.proves and library.unnamed
        ]
        async with self._database.read() as session:
            digests = await RemovalRepository(session).find_digests(self._source_id)
        marked: list[str] = []
        asked: list[PendingRemoval] = []
        waiting: dict[str, PendingRow] = {}
        for each in candidates:
            if not each.keys:
                continue
            if each.library.unplaced:
                remark(each.library.library_id, _in_doubt(len(each.keys), each.library.unplaced))
                continue
            library_id, reason = each.library.library_id, each.reason(self._limit)
            if not reason:
                now_marked = await self._sink.mark_missing(each.ids)
                for library in libraries:
                    library.unnamed.difference_update(each.keys[item_id] for item_id in now_marked)
                marked += now_marked
                continue
            digest, number, stored = each.digest, len(each.keys), each.library.stored
            waiting[library_id] = (library_id, number, stored, reason, digest)
            first = digests.get(library_id) != digest
            if first:
                asked.append(
                    PendingRemoval(
                        library_id=library_id,
                        source_id=self._source_id,
                        run_id=run_id,
                        items=number,
                        stored=stored,
                        reason=reason,
                        item_ids=tuple(each.ids),
                    )
                )
            what = f"{number:,} of {stored:,} stored items are not listed any more: {_named(each.ids)}"
            remark(
                library_id, f"{what}. None was removed, because {reason}; --max-removals {number} confirms it"
            )
        proved = {library.library_id for library in libraries if library.proves and not library.unplaced}
        new = {pending.library_id for pending in asked}
        await self._sink.note_pending(
            [row for library_id, row in waiting.items() if library_id in new],
            [library_id for library_id in digests if library_id in proved and library_id not in waiting],
        )
        return Removals(marked, asked)

    async def _find_removed(self, library: LibraryTally, libraries: Sequence[LibraryTally]) -> dict[str, str]:
        """Return the items at home in a library that no library lists any more: their keys by their ids."""
        by_id = {one.library_id: one for one in libraries}
        found: dict[str, str] = {}
        for keys in batched(sorted(library.unnamed), _PAGE):
            async with self._database.read() as session:
                states, _ = await MediaRepository(session).find_current_states(
                    [make_id(self._source_id, key) for key in keys]
                )
            for key in keys:
                state = states.get(make_id(self._source_id, key))
                if state is None or state.missing or state.library_id != library.library_id:
                    continue
                holders = [by_id.get(library_id) for library_id in state.library_ids]
                if all(holder is not None and holder.proves and key in holder.unnamed for holder in holders):
                    found[state.id] = key
        return found
