"""What the modules of the formats have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mediasync.models import AnyMediaItem, Person
from mediasync.repositories.exporting import LastChange


class Writer(Protocol):
    """Writes one export in one format. Its methods are called one after another, also in other threads.

    Attributes:
        rows: how many rows, lines or records were written of each kind.
    """

    rows: dict[str, int]

    def add_items(self, items: Sequence[AnyMediaItem]) -> None:
        """Write items with their credits."""
        ...

    def add_people(self, people: Sequence[Person]) -> None:
        """Write people."""
        ...

    def add_removed(self, changes: Sequence[LastChange]) -> None:
        """Write that items and people no longer exist. Only formats that take ``since`` are told."""
        ...

    def finish(self, change: int) -> None:
        """Write what comes last, and close everything.

        Args:
            change: the number of the last change that the export contains.
        """
        ...

    def close(self) -> None:
        """Close everything, because the export failed or has been finished."""
        ...
