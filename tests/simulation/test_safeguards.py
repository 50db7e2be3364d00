"""Each safeguard is needed: without it, a promise breaks in some history.

The docs name the first seed that finds each. Any change of what a sync awaits, and another version of Python,
gives the seeds other histories, so the seed of the docs is only tried first.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from simulation.history import History
from simulation.safeguards import SAFEGUARDS, Safeguard
from simulation.search import HEAD, PAGE, breaks

pytestmark = pytest.mark.slow

MOST_SEEDS = 1_000
_AGAIN = "python3 tests/simulation/search.py looks up the seeds again"


def table() -> dict[str, tuple[int, str]]:
    """Return the first seed and what breaks, by the name of the safeguard, as the docs say."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    rows = re.findall(r"^\| (.+) \| (\d+) \| (.+) \|$", rest.partition("\n\n")[0], re.MULTILINE)
    return {name: (int(seed), what) for name, seed, what in rows}


def test_the_docs_name_every_safeguard() -> None:
    assert list(table()) == [safeguard.name for safeguard in SAFEGUARDS], _AGAIN
    assert len(SAFEGUARDS) >= 12


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_without_a_safeguard_a_promise_breaks(safeguard: Safeguard, tmp_path: Path) -> None:
    first, _ = table()[safeguard.name]
    seeds = dict.fromkeys((first, *range(MOST_SEEDS)))
    found = next((seed for seed in seeds if breaks(safeguard, seed)), None)
    assert found is not None, f"no seed below {MOST_SEEDS} finds that it is switched off"
    History(found, tmp_path).run()
