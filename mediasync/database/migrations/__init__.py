"""The steps from one version of the schema to the next.

Each step is a module named after the version that it leads to. Its SQL, and the functions that fill its
tables, never change again: they import nothing that today's code may change, because they must do the same
to an old database in ten years as on the day they were written.

To add a step, write ``v0011_what_it_does.py`` with a function ``upgrade`` and append it to `MIGRATIONS`.
Change ``schema.sql`` to match, and store a database of the previous version in ``tests/data``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from mediasync.database.migrations import v0006_search_words_and_aliases as v0006
from mediasync.database.migrations import v0007_outbox_and_person_ids as v0007
from mediasync.database.migrations import v0008_leases as v0008
from mediasync.database.migrations import v0009_removal as v0009
from mediasync.database.migrations import v0010_due_targets as v0010
from mediasync.database.session import Session


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a version of the schema to the next.

    Attributes:
        version: the version that the step leads to.
        upgrade: changes the tables and fills the new ones, inside the caller's transaction. It leaves the
            views alone: they are dropped before the first step and created again after the last. SQLite
            does not enforce foreign keys meanwhile; they are checked before the commit.
    """

    version: int
    upgrade: Callable[[Session], Awaitable[None]]


MIGRATIONS: Final = (
    Migration(6, v0006.upgrade),
    Migration(7, v0007.upgrade),
    Migration(8, v0008.upgrade),
    Migration(9, v0009.upgrade),
    Migration(10, v0010.upgrade),
)
"""All steps, in order and without a gap."""
