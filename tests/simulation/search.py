"""Search the first seed that finds each safeguard switched off, and write the table of them into the docs.

Run it after changes of what a sync does: they change what follows from a seed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "trust.md"
HEAD = "| switched off | first seed | what breaks |\n|---|---|---|\n"

if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from simulation.broken import Broken  # noqa: E402
from simulation.history import History  # noqa: E402
from simulation.safeguards import SAFEGUARDS, Safeguard  # noqa: E402


def breaks(safeguard: Safeguard, seed: int) -> str:
    """Return what breaks in the history of a seed without a safeguard; empty if nothing does."""
    with TemporaryDirectory() as folder:
        try:
            with safeguard.off():
                History(seed, Path(folder)).run()
        except Broken as broken:
            return broken.what
    return ""


def search(seeds: int) -> Iterator[tuple[str, int, str]]:
    """Yield the name of each safeguard, the first seed that finds it, and what breaks."""
    for safeguard in SAFEGUARDS:
        found = ((seed, what) for seed in range(seeds) if (what := breaks(safeguard, seed)))
        seed, what = next(found, (-1, "nothing"))
        print(f"{safeguard.name}: seed {seed}: {what}", flush=True)
        yield safeguard.name, seed, what


def write(rows: list[tuple[str, int, str]]) -> None:
    """Write the table into the docs."""
    before, head, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    _, _, after = rest.partition("\n\n")
    table = "\n".join(f"| {name} | {seed} | {what} |" for name, seed, what in rows)
    PAGE.write_text(f"{before}{head}{table}\n\n{after}", encoding="utf-8")


def main() -> int:
    """Search, and write the table if all are found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many seeds are tried for each")
    rows = list(search(parser.parse_args().seeds))
    if any(seed < 0 for _, seed, _ in rows):
        return 1
    write(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
