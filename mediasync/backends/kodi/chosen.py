"""Reading single items by their keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from mediasync.backends.base import Unreadable
from mediasync.backends.kodi.kinds import KodiKind
from mediasync.backends.kodi.rpc import INVALID_PARAMS, Call, KodiRefused, Rpc
from mediasync.backends.multiread import read_adaptively
from mediasync.errors import SourceError

_ITEMS_PER_REQUEST: Final = 50
_LARGEST_ID: Final = 2**31 - 1


async def read_chosen(
    rpc: Rpc, kind: KodiKind, keys: Collection[str]
) -> list[Mapping[str, Any] | Unreadable]:
    """Return the records of those *keys* that are of a kind, by id; a `Unreadable` for what cannot be read.

    Raises:
        SourceError: if Kodi cannot be read on.
    """
    ids = sorted({item_id for key in keys if (item_id := kind.id_of(key)) is not None})
    found: dict[str, Mapping[str, Any] | Unreadable] = {}

    async def read(names: Sequence[str]) -> None:
        calls = [
            Call(kind.details, {kind.id_name: int(name), "properties": list(kind.properties)})
            for name in names
        ]
        for name, result in zip(names, await rpc.call_all(calls), strict=True):
            found[name] = _record(kind, name, result)

    def refused(name: str, error: SourceError) -> None:
        found[name] = Unreadable(f"{kind.name}/{name}", f"it cannot be read: {error.reason}")

    names = [str(item_id) for item_id in ids if 0 < item_id <= _LARGEST_ID]
    for start in range(0, len(names), _ITEMS_PER_REQUEST):
        async for _ in read_adaptively(names[start : start + _ITEMS_PER_REQUEST], read, refused=refused):
            pass
    unknown = [
        Unreadable(f"{kind.name}/{item_id}", "no id is 0 or so large")
        for item_id in ids
        if str(item_id) not in names
    ]
    return [*unknown, *(found[name] for name in names)]


def _record(
    kind: KodiKind, name: str, result: Mapping[str, Any] | str | KodiRefused
) -> Mapping[str, Any] | Unreadable:
    key = f"{kind.name}/{name}"
    if isinstance(result, KodiRefused):
        gone = result.code == INVALID_PARAMS
        return Unreadable(
            key, f"Kodi has no such {kind.name}" if gone else f"it cannot be read: {result.reason}"
        )
    record = result.get(kind.details_name) if isinstance(result, Mapping) else None
    if isinstance(record, dict) and kind.key(record) == key:
        return record
    return Unreadable(key, "asked for, but left out of the answer")
