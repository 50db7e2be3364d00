"""Figures, and the rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.lab import Lab


@dataclass
class Figure:
    """One measured figure.

    Attributes:
        name: the name of the row, or of a part of it.
        what: a description of the measurement.
        value: the figure in *unit*; a ratio if the unit is empty.
        must: the largest allowed value; None if the row promises nothing.
        goal: the value to aim for; None if there is no goal beyond *must*.
        scaled: whether the value was measured on a smaller library and extrapolated to this one.
        detail: the parts of the figure.
    """

    name: str
    what: str
    value: float
    unit: str = ""
    must: float | None = None
    goal: float | None = None
    scaled: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``GOAL``, ``ok`` or ``MISS``; empty for a figure that promises nothing."""
        if self.must is None:
            return ""
        if self.goal is not None and self.value <= self.goal:
            return "GOAL"
        return "ok" if self.value <= self.must else "MISS"

    def as_json(self) -> dict[str, Any]:
        """Return the figure for ``--json``."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Row:
    """One row of the table; `measure` gives its figures."""

    name: str
    what: str
    measure: Callable[[Lab, Row], list[Figure]]
    must: float | None = None
    goal: float | None = None
    unit: str = ""
    big: bool = False

    def figure(self, value: float, **detail: Any) -> Figure:
        """Return the row's own figure."""
        return Figure(self.name, self.what, value, self.unit, self.must, self.goal, detail=detail)


def column(runs: list[dict[str, Any]], key: str) -> list[float]:
    """Return the value of *key* in each run."""
    return [run[key] for run in runs]
