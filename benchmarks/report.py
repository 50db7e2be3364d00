"""The report: the figures as text and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from typing import Any

from benchmarks.figures import Figure
from benchmarks.lab import Lab

# The ratio of CPU times is shown beside that of wall times: a large difference means that other programs ran.
HEADER = ("row", "measured", "(CPU)", "must", "goal", "verdict", "what")


def table(figures: list[Figure]) -> str:
    """Return the figures as aligned plain text."""
    lines = [HEADER, *(_line(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER) - 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5], strict=True)]
            + [line[5].ljust(widths[5]), line[6]]
        ).rstrip()
        for line in lines
    )


def as_json(lab: Lab, figures: list[Figure]) -> str:
    """Return the whole run as JSON."""
    document = {
        "options": vars(lab.options),
        "machine": machine(),
        "figures": [figure.as_json() for figure in figures],
        "compared": lab.compared,
        "skipped": lab.skipped,
        "problems": lab.problems,
    }
    return json.dumps(document, indent=2)


def machine() -> dict[str, Any]:
    """Return the properties of the machine on which the figures depend."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def _line(figure: Figure) -> tuple[str, ...]:
    tilde = "~" if figure.scaled else ""
    return (
        figure.name,
        f"{tilde}{_number(figure.value)} {figure.unit}".rstrip(),
        f"({_number(figure.detail['cpu_ratio'])})" if "cpu_ratio" in figure.detail else "",
        _bound(figure.must, figure.unit),
        _bound(figure.goal, figure.unit),
        figure.verdict,
        figure.what,
    )


def _bound(value: float | None, unit: str) -> str:
    return "" if value is None else f"≤ {value:g} {unit}".rstrip()


def _number(value: float) -> str:
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:.{decimals}f}"
