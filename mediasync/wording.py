"""Formatting of names, numbers, times and other values for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from mediasync.display import safe
from mediasync.models import Episode, MediaItem, RemovedItem, Season, SyncRun
from mediasync.summaries import PersonSummary
from mediasync.vocabulary import PersonType

LONGEST_NAME: Final = 500


def short(name: object) -> str:
    """Return a name or a title as `safe` does, cut to a readable length."""
    return safe(name, LONGEST_NAME)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Args:
        number: the number.
        noun: the word for one.
        plural: the word for several; *noun* with an s by default.

    Example:
        >>> counted(1, "item"), counted(1200, "item"), counted(2, "person", "people")
        ('1 item', '1,200 items', '2 people')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def megabytes(number: int) -> str:
    """Return a number of bytes for people.

    Example:
        >>> megabytes(12_345_678), megabytes(4_096)
        ('12.3 MB', '0.0 MB')
    """
    return f"{number / 1_000_000:,.1f} MB"


def person_type_name(person_type: str) -> str:
    """Return a person type for people.

    Example:
        >>> person_type_name(PersonType.GUEST_STAR), person_type_name("Key Grip")
        ('guest star', 'Key Grip')
    """
    known = isinstance(PersonType.parse(person_type), PersonType)
    return person_type.replace("_", " ") if known else short(person_type)


def episode_code(season: int | None, episode: int | None, last: int | None = None) -> str:
    """Return the short form of a season's and an episode's number.

    Example:
        >>> episode_code(2, 3), episode_code(2, 3, 4), episode_code(None, 7), episode_code(1, None)
        ('S02E03', 'S02E03-E04', 'E07', 'S01')
    """
    code = "" if season is None else f"S{season:02}"
    if episode is not None:
        code += f"E{episode:02}"
        if last is not None and last != episode:
            code += f"-E{last:02}"
    return code


def item_code(item: MediaItem) -> str:
    """Return the short form of an item's numbers; an empty text if it has none."""
    match item:
        case Episode(season_number=season, episode_number=episode, episode_number_end=last):
            return episode_code(season, episode, last)
        case Season(season_number=season):
            return episode_code(season, None)
        case _:
            return ""


def titled(title: str, year: int | None) -> str:
    """Return a title with its year, if that is known."""
    return f"{short(title)} ({year})" if year is not None else short(title)


def removed_title(item: RemovedItem) -> str:
    """Return the title of a removed item, with its show and its numbers if it has them."""
    code = episode_code(item.season_number, item.episode_number)
    show = short(item.show_title) if item.show_title else ""
    return joined((joined((show, code), " "), titled(item.title, item.year)), ": ")


def moment(time: datetime | None) -> str:
    """Return a time in the local time zone; a dash for None."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M") if time else "-"


def duration(time: timedelta) -> str:
    """Return a length of time for people.

    Example:
        >>> duration(timedelta(seconds=0.42)), duration(timedelta(seconds=75)), duration(timedelta(hours=2.5))
        ('0.4 s', '1 min 15 s', '2 h 30 min')
    """
    seconds = max(time.total_seconds(), 0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def run_counts(run: SyncRun) -> str:
    """Return the counts of a sync."""
    return f"{run.seen:,} seen, {run.saved:,} saved, {run.unchanged:,} unchanged, {run.failed:,} failed"


def running_time(seconds: int) -> str:
    """Return the running time of a film.

    Example:
        >>> running_time(10_200), running_time(7_200), running_time(1_320), running_time(31)
        ('2 h 50 min', '2 h', '22 min', '31 s')
    """
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return joined((f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""), " ")


def size(number_of_bytes: int) -> str:
    """Return the size of a file.

    Example:
        >>> size(512), size(1_500_000)
        ('512 bytes', '1.5 MB')
    """
    if number_of_bytes < 1000:
        return f"{number_of_bytes} bytes"
    power = min((len(str(number_of_bytes)) - 1) // 3, 4)
    return f"{number_of_bytes / 1000**power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def joined(parts: Iterable[str | None], separator: str = ", ") -> str:
    """Join the parts that are neither empty nor None."""
    return separator.join(part for part in parts if part)


def told_apart(person: PersonSummary) -> str:
    """Return what tells a person apart from others of the same name.

    Example:
        >>> told_apart(PersonSummary(id="home:1", source_id="home", name="Al", works=2, first_year=1974,
        ...                          last_year=1995, known_for="Heat", known_for_year=1995))
        '2 works, 1974-1995, Heat (1995)'
    """
    first, last = person.first_year, person.last_year
    years = f"{first}-{last}" if first != last else str(first or "")
    best = titled(person.known_for, person.known_for_year) if person.known_for else ""
    return joined((counted(person.works, "work"), years, best))
