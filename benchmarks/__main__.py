"""``python -m benchmarks``: measure mediasync and its yardsticks side by side and print the table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from benchmarks.figures import Figure, Row
from benchmarks.lab import Lab, Options
from benchmarks.report import as_json, machine, table
from benchmarks.rows import ROWS
from benchmarks.serving import NotInstalledError
from benchmarks.worker import WorkerFailedError, fork_from_here


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks.

    Returns:
        1 if rows differ or a measurement failed, else 0. A figure that misses its mark is not an error.
    """
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{row.name:18} {'(--big) ' if row.big else ''}{row.what}" for row in ROWS))
        return 0
    rows = _chosen(options.only, options.big)
    if options.forked:
        fork_from_here()
    with _directory(options.keep) as directory:
        lab = Lab(
            Options(**{size.name: getattr(options, size.name) for size in fields(Options)}),
            directory,
            frozenset(row.name for row in rows),
        )
        lab.say(", ".join(f"{key} {value}" for key, value in machine().items()))
        figures = _measure(lab, rows)
    print(as_json(lab, figures) if options.json else table(figures))
    for name, reason in lab.skipped.items():
        print(f"SKIPPED: {name}: {reason}", file=sys.stderr)
    for problem in lab.problems:
        print(f"PROBLEM: {problem}", file=sys.stderr)
    return 1 if lab.problems else 0


def _measure(lab: Lab, rows: list[Row]) -> list[Figure]:
    figures = []
    for row in rows:
        lab.say(f"{row.name}: {row.what}")
        try:
            figures += row.measure(lab, row)
        except NotInstalledError as error:
            lab.skipped[row.name] = str(error)
        except WorkerFailedError as error:
            lab.problems.append(f"{row.name}: {error}")
    return figures


def _chosen(only: str | None, big: bool) -> list[Row]:
    if only is None:
        return [row for row in ROWS if big or not row.big]
    names = {name.strip() for name in only.split(",")}
    if unknown := names - {row.name for row in ROWS}:
        sys.exit(f"no such row: {', '.join(sorted(unknown))}; --list names them")
    return [row for row in ROWS if row.name in names]


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="mediasync-bench-") as directory:
            yield Path(directory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    for size in fields(Options):
        option = f"--{size.name.replace('_', '-')}"
        parser.add_argument(
            option, type=_positive, default=size.default, metavar="N", help="default %(default)s"
        )
    parser.add_argument("--only", metavar="NAME[,NAME]", help="only these rows, the big ones included")
    parser.add_argument("--big", action="store_true", help="also the rows of the big libraries")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--forked", action="store_true", help="fork tasks: quick, for a trial; the figures say little"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="put the databases there and leave them")
    return parser


def _positive(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
