"""Points in time, as options and arguments name them: a run, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from mediasync.app import MediaSync
from mediasync.cli.errors import NotFound
from mediasync.errors import UsageError
from mediasync.rewinding import AsOf
from mediasync.settings.durations import parse_duration
from mediasync.wording import moment

_LONGEST: Final = 18
"""A number with more digits is no run."""

_YEARS: Final = re.compile(r"(\d{1,4})?(\.\.)?(\d{1,4})?")

AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="RUN|TIME",
        help="As it was shown when this run had ended, or at this time: 12; 1d; 2026-01-31.",
        show_default=False,
    ),
]


def parse_time(text: str, name: str) -> datetime:
    """Return the time that a text names: how long ago it was, a date, or a date with a time.

    Without a zone it is local.

    Args:
        text: what was typed.
        name: the option or argument, for messages.

    Raises:
        UsageError: if the text is no time.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - parse_duration(text)
        except ValueError as error:
            raise UsageError(f"{name}: {error}; or a date, 2026-01-31") from None
        except OverflowError:
            raise UsageError(f"{name}: {text!r} is too long ago") from None
    return time if time.tzinfo else time.astimezone()


def parse_point(text: str, name: str) -> AsOf:
    """Return the run or the time that a text names.

    Raises:
        UsageError: if it is neither.
    """
    is_run = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return int(text) if is_run else parse_time(text, name)


async def require_run(ms: MediaSync, point: AsOf | None) -> None:
    """Check that a run, if one is named, is recorded.

    Raises:
        NotFound: if it is not.
    """
    if isinstance(point, int) and await ms.find_run(point) is None:
        raise NotFound(f"there is no run {point}; mediasync runs lists them")


def point_in_words(point: AsOf) -> str:
    """Return a point for people.

    Example:
        >>> point_in_words(12)
        'the end of run 12'
    """
    return f"the end of run {point}" if isinstance(point, int) else moment(point)


def parse_years(text: str) -> tuple[int | None, int | None] | None:
    """Return the first and the last year that a text names, None where it is open; None if it names none.

    Example:
        >>> parse_years("1990..1999"), parse_years("2000.."), parse_years("1999"), parse_years("..")
        ((1990, 1999), (2000, None), (1999, 1999), None)
    """
    found = _YEARS.fullmatch(text.strip())
    if not found or not (found[1] or found[3]) or (found[3] and not found[2]):
        return None
    first = int(found[1]) if found[1] else None
    last = int(found[3]) if found[3] else None
    return first, last if found[2] else first
