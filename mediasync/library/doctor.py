"""The doctor: what is wrong with the cast data of a mirror."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import TYPE_CHECKING

from mediasync.database.database import Database
from mediasync.errors import UnknownSource, UsageError
from mediasync.repositories.sources import SourceRepository

# Every command imports this module, and only one of them needs the checks.
if TYPE_CHECKING:
    from mediasync.findings import CastFinding, DoctorReport
    from mediasync.library.doctor_checks import Check
    from mediasync.repositories.doctor import Case


class DoctorReads:
    """Examines the cast data of a mirror.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def doctor(
        self,
        *,
        checks: Collection[str] | None = None,
        skip: Collection[str] = (),
        source_id: str | None = None,
        examples: int = 5,
    ) -> DoctorReport:
        """Return what is wrong with the cast data, with examples and what to do.

        It only reads. Removed items and people whom nobody credits are left out. `mediasync.MediaSync.check`
        looks after the database instead; this looks at what the sources say.

        Args:
            checks: the names of the checks to run; None for all.
            skip: the names of checks to leave out.
            source_id: only this source, and what others disagree with it on; None for all.
            examples: at most so many cases of each finding are named; all are counted.

        Raises:
            UsageError: if there is no check of that name, or *examples* is below 1.
            UnknownSource: if the source is not stored.

        Example:
            >>> report = await ms.library.doctor(skip=["no-picture"])  # doctest: +SKIP
            >>> [(finding.check, finding.count) for finding in report.findings]  # doctest: +SKIP
            [('cast-cap', 1), ('name-list', 12)]
        """
        from mediasync.findings import DoctorReport
        from mediasync.library.doctor_checks import chosen_checks

        found = self.iter_findings(checks=checks, skip=skip, source_id=source_id, examples=examples)
        return DoctorReport(
            tuple(check.name for check in chosen_checks(checks, skip)),
            tuple([finding async for finding in found]),
        )

    async def iter_findings(
        self,
        *,
        checks: Collection[str] | None = None,
        skip: Collection[str] = (),
        source_id: str | None = None,
        examples: int = 5,
    ) -> AsyncIterator[CastFinding]:
        """Yield each finding as soon as its check has ended. The arguments are those of `doctor`.

        Each check reads a snapshot of its own, so a long examination does not hold one open.

        Raises:
            UsageError: as `doctor` does.
            UnknownSource: as `doctor` does.
        """
        from mediasync.library.doctor_checks import chosen_checks
        from mediasync.repositories.doctor import DoctorRepository

        chosen = chosen_checks(checks, skip)
        if examples < 1:
            raise UsageError(f"examples is {examples}: it is how many cases are named, 1 or more")
        if source_id is not None:
            await self._require_source(source_id)
        for check in chosen:
            async with self._database.read() as session:
                repository = DoctorRepository(session)
                if check.judge is None:
                    counted = await repository.find_examples(check.query, source_id, examples)
                else:
                    counted = _judged(check, await repository.find_cases(check.query, source_id), examples)
            for finding in _findings(check, counted):
                yield finding

    async def _require_source(self, source_id: str) -> None:
        async with self._database.read() as session:
            known = [source.id for source in await SourceRepository(session).list_sources()]
        if source_id not in known:
            raise UnknownSource(f"there is no source {source_id!r}; there are: {', '.join(known) or 'none'}")


def _judged(check: Check, cases: Sequence[Case], examples: int) -> list[tuple[int, Case]]:
    """Return the first cases of each source, each with the number of all, as the engine would."""
    judge = check.judge or bool
    by_source: dict[str, list[Case]] = {}
    counts: dict[str, int] = {}
    for case in cases:
        if not judge(check.facts_of(case)):
            continue
        counts[case.source_id] = counts.get(case.source_id, 0) + 1
        kept = by_source.setdefault(case.source_id, [])
        if len(kept) < examples:
            kept.append(case)
    return [(counts[source_id], case) for source_id, kept in by_source.items() for case in kept]


def _findings(check: Check, counted: Sequence[tuple[int, Case]]) -> list[CastFinding]:
    from mediasync.findings import CastExample, CastFinding

    by_source: dict[str, list[Case]] = {}
    counts: dict[str, int] = {}
    for count, case in counted:
        counts[case.source_id] = count
        by_source.setdefault(case.source_id, []).append(case)
    return [
        CastFinding(
            check.name,
            check.severity,
            source_id,
            check.title,
            check.advice,
            counts[source_id],
            tuple(CastExample(case.id, check.text_of(case), check.facts_of(case)) for case in cases),
        )
        for source_id, cases in by_source.items()
    ]
