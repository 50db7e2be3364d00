"""Renaming a source in one transaction."""

from __future__ import annotations

from mediasync.database.session import Session
from mediasync.errors import ConfigurationError, UnknownSource
from mediasync.ids import check_source_id
from mediasync.reports import RenamedSource
from mediasync.repositories.source_renaming import SourceRenaming
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.outbox import Outbox, changed_fields
from mediasync.vocabulary import ChangeKind, EntityKind


async def check_renaming(session: Session, old: str, new: str) -> None:
    """Check that a source can be renamed.

    Raises:
        InvalidId: if *new* cannot name a source.
        UnknownSource: if *old* is not stored.
        ConfigurationError: if *new* is stored, or an id would be too long.
    """
    check_source_id(new)
    sources = SourceRepository(session)
    if await sources.find_source(old) is None:
        raise UnknownSource(f"source {old!r} is not stored")
    if await sources.find_source(new) is not None:
        raise ConfigurationError(
            f"there is a source {new!r} already: choose another name, or remove that source first"
        )
    if (too_long := await SourceRenaming(session, old, new).find_too_long()) is not None:
        raise ConfigurationError(
            f"the id {too_long[:200]!r}… would be too long under the name {new!r}: choose a shorter one"
        )


async def rename_source(session: Session, outbox: Outbox, old: str, new: str) -> RenamedSource:
    """Rename a source: every id of it, in the change log, too.

    Fingerprints are made of ids. They are cleared, so the next save of an item compares its values.

    Args:
        session: the transaction. It holds the leases of both names.
        outbox: where the renaming itself is logged.
        old: the id of the source.
        new: the id that it gets.

    Raises:
        InvalidId, UnknownSource, ConfigurationError: as `check_renaming` does.
    """
    await check_renaming(session, old, new)
    renaming = SourceRenaming(session, old, new)
    sources = SourceRepository(session)
    before = await sources.find_source(old)
    await renaming.rename_source()
    after = await sources.find_source(new)
    report = RenamedSource(
        old,
        new,
        libraries=await renaming.rename_libraries(),
        items=await renaming.rename_items(),
        people=await renaming.rename_people(),
        changes=await renaming.rename_changes(),
    )
    await renaming.rename_problems()
    if before is not None and after is not None:
        fields = {"id", "name"}
        changed = changed_fields(before.model_dump(include=fields), after.model_dump(include=fields))
        outbox.add(EntityKind.SOURCE, new, ChangeKind.CHANGED, changed)
    return report
