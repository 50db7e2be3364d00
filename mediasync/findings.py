"""What the doctor finds in the cast data of a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mediasync.reports import Reported


class Severity(StrEnum):
    """How bad a finding is.

    ``info`` may be right as it is, ``warning`` is probably wrong, ``error`` is certainly wrong.

    Example:
        >>> Severity.ERROR.reaches(Severity.WARNING)
        True
    """

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    def reaches(self, other: Severity) -> bool:
        """Return whether this is as bad as *other*, or worse."""
        order = list(Severity)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class CastExample(Reported):
    """One case of a finding.

    Attributes:
        id: the full id of the item, person or library, or the name of a file that could not be read.
        text: the case in words.
        facts: what the text says, by name: titles, counts, years, and the ids of other items and people.
    """

    id: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CastFinding(Reported):
    """What one check found in one source.

    Attributes:
        check: the name of the check.
        severity: how bad it is.
        source_id: the source that it was found in.
        title: what was found, in one sentence.
        advice: what to do about it.
        count: how many cases there are.
        examples: some of the cases, the most important ones first.
    """

    check: str
    severity: Severity
    source_id: str
    title: str
    advice: str
    count: int
    examples: tuple[CastExample, ...]


@dataclass(frozen=True, slots=True)
class DoctorReport(Reported):
    """What the doctor found.

    Attributes:
        checks: the names of the checks that ran.
        findings: one for each check and source with at least one case, in the order of the checks.
    """

    checks: tuple[str, ...]
    findings: tuple[CastFinding, ...]

    @property
    def worst(self) -> Severity | None:
        """The highest severity of all findings; None without findings."""
        return max((finding.severity for finding in self.findings), key=list(Severity).index, default=None)
