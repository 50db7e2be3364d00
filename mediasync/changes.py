"""The change log: why something is written, and what one row of the log says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from mediasync.vocabulary import ChangeKind, EntityKind


class Fence(NamedTuple):
    """What shows that a write is made under the newest lease of a source.

    Attributes:
        source_id: the source.
        number: the number of the lease. Each new lease of a source has a higher number.
    """

    source_id: str
    number: int


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Why something is written. Every write that changes the public views carries one.

    Attributes:
        run_id: the sync run that writes; None outside a run.
        fence: the lease under which it writes, which the transaction checks; None without a lease.
        reason: ``sync`` or ``api``, as the log records it.
    """

    run_id: int | None = None
    fence: Fence | None = None
    reason: str = "api"


API: Final = WriteContext()
"""The context of writes that a program asks for itself."""


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change of what the public views show.

    Attributes:
        number: its place in the log. Numbers ascend in the order of commits and have no gaps.
        at: when it was written; None if another program made the stored time unreadable.
        run_id: the sync run that wrote it; None outside a run. The run itself may be deleted since.
        reason: ``sync`` or ``api``.
        entity: what kind of thing changed.
        entity_id: its text id, which outlives it. Of a library it is the full id.
        what: what happened to it.
        before: the values before the change, by the names of the views' columns; None if it was added. If it
            was changed, only the fields that changed; if it was removed or merged, all of them.
        other_id: the person that a merged person became; else None.
    """

    number: int
    at: datetime | None
    run_id: int | None
    reason: str
    entity: EntityKind
    entity_id: str
    what: ChangeKind
    before: Mapping[str, Any] | None
    other_id: str | None = None
