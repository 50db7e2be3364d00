"""The words of the pages: functions and types, numbers, lengths, times, and sentences about changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from mediasync.display import safe
from mediasync.history import CreditChangeKind, HistoryEntry
from mediasync.models import AnyMediaItem, Episode, Season
from mediasync.summaries import ItemSummary
from mediasync.vocabulary import CAST_TYPES, ChangeKind, Completeness, MediaType, PersonType, RunStatus
from mediasync.wording import counted, episode_code

_FUNCTIONS: Final[dict[str, tuple[str, str]]] = {
    PersonType.ACTOR: ("Actor", "Cast"),
    PersonType.GUEST_STAR: ("Guest star", "Guest stars"),
    PersonType.DIRECTOR: ("Director", "Directed by"),
    PersonType.WRITER: ("Writer", "Written by"),
    PersonType.PRODUCER: ("Producer", "Produced by"),
    PersonType.COMPOSER: ("Composer", "Music by"),
    PersonType.CREATOR: ("Creator", "Created by"),
    PersonType.EDITOR: ("Editor", "Edited by"),
    PersonType.ALBUM_ARTIST: ("Album artist", "Album artists"),
    PersonType.COVER_ARTIST: ("Cover artist", "Cover artists"),
    PersonType.NARRATOR: ("Narrator", "Narrated by"),
    PersonType.UNKNOWN: ("Other", "Others"),
}

OFFERED_FUNCTIONS: Final = (
    PersonType.ACTOR,
    PersonType.GUEST_STAR,
    PersonType.DIRECTOR,
    PersonType.WRITER,
    PersonType.PRODUCER,
    PersonType.COMPOSER,
    PersonType.CREATOR,
    PersonType.EDITOR,
)
"""The functions that forms offer. An address may name any other."""

_TYPES: Final = {
    MediaType.MOVIE: ("film", "films"),
    MediaType.SHOW: ("show", "shows"),
    MediaType.SEASON: ("season", "seasons"),
    MediaType.EPISODE: ("episode", "episodes"),
}

_COMPLETENESS: Final = {
    Completeness.FULL: "The whole cast and crew is known.",
    Completeness.PREVIEW: "Only a part of the cast and crew is known; the next sync may read the rest.",
    Completeness.NONE: "Nothing is known of the cast and crew yet.",
}

_STATUS: Final = {
    RunStatus.RUNNING: ("running", ""),
    RunStatus.SUCCEEDED: ("succeeded", "good"),
    RunStatus.NEEDS_CONFIRMATION: ("needs confirmation", "warn"),
    RunStatus.FAILED: ("failed", "bad"),
    RunStatus.CANCELLED: ("cancelled", "warn"),
    RunStatus.INTERRUPTED: ("interrupted", "warn"),
}

_FIELDS: Final = {
    "title": "title",
    "original_title": "original title",
    "sort_title": "sort title",
    "overview": "overview",
    "tagline": "tagline",
    "year": "year",
    "premiere_date": "premiere",
    "runtime_seconds": "length",
    "content_rating": "age rating",
    "ratings": "ratings",
    "genres": "genres",
    "provider_ids": "ids at providers",
    "images": "pictures",
    "path": "file",
    "added_at": "time of addition",
    "completeness": "completeness of the cast",
    "library_id": "library",
    "libraries": "libraries",
    "season_number": "number of the season",
    "episode_number": "number of the episode",
    "parent_id": "place in the show",
}

_PROVIDERS: Final = {
    "imdb": ("IMDb", "https://www.imdb.com/title/{}/", "https://www.imdb.com/name/{}/"),
    "tmdb": ("TMDB", "https://www.themoviedb.org/{kind}/{}", "https://www.themoviedb.org/person/{}"),
    "tvdb": ("TheTVDB", "https://www.thetvdb.com/dereferrer/{kind}/{}", "https://www.thetvdb.com/people/{}"),
}

_LONGEST_PROVIDER_ID: Final = 40
_ENOUGH: Final = 40
_LENGTHS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"))
_DAYS_AGO: Final = 14


def function_name(person_type: str) -> str:
    """Return what a person with a function is.

    Example:
        >>> function_name("guest_star"), function_name("Key Grip")
        ('Guest star', 'Key Grip')
    """
    return _FUNCTIONS.get(person_type, (person_type, person_type))[0]


def function_heading(person_type: str) -> str:
    """Return the heading over the people with a function.

    Example:
        >>> function_heading("director"), function_heading("Key Grip")
        ('Directed by', 'Key Grip')
    """
    return _FUNCTIONS.get(person_type, (person_type, person_type))[1]


def type_name(media_type: MediaType | str, number: int = 1) -> str:
    """Return the word for one item of a type, or for several.

    Example:
        >>> type_name("movie"), type_name("movie", 2)
        ('film', 'films')
    """
    one, many = _TYPES[MediaType(media_type)]
    return one if number == 1 else many


def completeness_in_words(completeness: Completeness | str) -> str:
    """Return a sentence about how much of a credit list is known."""
    return _COMPLETENESS[Completeness(completeness)]


def status_name(status: RunStatus | str) -> str:
    """Return how a run ended, in words."""
    return _STATUS[RunStatus(status)][0]


def status_class(status: RunStatus | str) -> str:
    """Return the class of the style sheet for the status of a run; empty for one that is running."""
    return _STATUS[RunStatus(status)][1]


def day(when: date | datetime | str | None) -> str:
    """Return a day.

    Example:
        >>> day(date(1995, 12, 15))
        '15 Dec 1995'
    """
    if isinstance(when, date):
        return f"{when.day} {when:%b} {when.year}"
    return when or ""


def moment(when: datetime | None, zone: tzinfo | None = None) -> str:
    """Return a time in the zone of the server, with its name; a dash for None.

    Args:
        when: the time.
        zone: another zone.

    Example:
        >>> moment(datetime(2026, 11, 30, 18, 5, tzinfo=UTC), UTC)
        '30 Nov 2026, 18:05 UTC'
    """
    if when is None:
        return "-"
    there = when.astimezone(zone)
    return f"{day(there)}, {there:%H:%M %Z}"


def ago(when: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something happened; its day, if that was long ago.

    Example:
        >>> ago(datetime(2026, 11, 30, 18, 5, tzinfo=UTC), datetime(2026, 11, 30, 20, 15, tzinfo=UTC))
        '2 hours ago'
    """
    if when is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    if seconds > _DAYS_AGO * 86400:
        return day(when.astimezone())
    for length, name in _LENGTHS:
        if seconds >= length:
            return f"{counted(int(seconds // length), name)} ago"
    return "just now"


def until(when: datetime, now: datetime | None = None) -> str:
    """Return how long it is until something happens.

    Example:
        >>> until(datetime(2026, 11, 30, 18, 5, tzinfo=UTC), datetime(2026, 11, 30, 15, 4, tzinfo=UTC))
        'in 3 hours'
    """
    seconds = (when - (now or datetime.now(UTC))).total_seconds()
    for length, name in _LENGTHS:
        if seconds >= length:
            return f"in {counted(int(seconds // length), name)}"
    return "in a moment"


def years(first: int | None, last: int | None) -> str:
    """Return a span of years.

    Example:
        >>> years(1995, 2001), years(1995, 1995), years(None, None)
        ('1995–2001', '1995', '')
    """
    if first is None or last is None or first == last:
        return str(first or last or "")
    return f"{first}–{last}"


def person_name(name: str) -> str:
    """Return what somebody is called: a name of nothing but control characters shows nothing.

    Example:
        >>> person_name("Keanu Reeves"), person_name("\\u202e")
        ('Keanu Reeves', 'Without a name')
    """
    return name if safe(name, _ENOUGH) else "Without a name"


def item_title(item: ItemSummary | AnyMediaItem) -> str:
    """Return what an item is called.

    Example:
        >>> item_title(ItemSummary(id="a:1", source_id="a", library_id="a:l", media_type="season",
        ...     title="", season_number=2, completeness="none"))
        'Season 2'
    """
    if safe(item.title, _ENOUGH):
        return item.title
    if isinstance(item, ItemSummary | Season) and item.media_type == MediaType.SEASON:
        number = item.season_number
        return "Specials" if number == 0 else f"Season {'' if number is None else number}".strip()
    if isinstance(item, ItemSummary | Episode) and item.episode_number is not None:
        return f"Episode {item.episode_number}"
    return "Without a title"


def title_in_show(item: ItemSummary) -> str:
    """Return what a season or an episode is called where its show is not seen; else the title.

    Example:
        >>> title_in_show(ItemSummary(id="a:1", source_id="a", library_id="a:l", media_type="episode",
        ...     title="Pilot", show_title="Fargo", season_number=1, episode_number=1, completeness="none"))
        'Fargo S01E01'
    """
    title = item_title(item)
    if item.media_type not in (MediaType.SEASON, MediaType.EPISODE):
        return title
    code = episode_code(item.season_number, item.episode_number)
    return " ".join(filter(None, (item.show_title, code))) if item.show_title and code else title


def provider_link(provider: str, value: str, media_type: str | None = None) -> tuple[str, str | None]:
    """Return the name of a public provider, and the address of an item or a person there.

    Args:
        provider: ``imdb``, ``tmdb``, …
        value: the id there.
        media_type: of the item; None for a person.

    Returns:
        The name, and None in place of an address for a provider or an id that cannot be linked to.

    Example:
        >>> provider_link("imdb", "tt0113277", "movie")
        ('IMDb', 'https://www.imdb.com/title/tt0113277/')
        >>> provider_link("tmdb", "../x", "movie")
        ('TMDB', None)
    """
    known = _PROVIDERS.get(provider)
    if known is None:
        return provider, None
    name, of_item, of_person = known
    is_plain = value.isascii() and value.isalnum() and len(value) <= _LONGEST_PROVIDER_ID
    if not is_plain:
        return name, None
    if media_type is None:
        return name, of_person.format(value)
    if provider == "imdb":
        return name, of_item.format(value)
    kinds = {"tmdb": {"movie": "movie", "show": "tv"}, "tvdb": {"movie": "movie", "show": "series"}}
    if provider == "tvdb" and media_type in ("season", "episode"):
        return name, of_item.format(value, kind=media_type)
    kind = kinds[provider].get(media_type)  # TMDB addresses seasons and episodes by number, not by id
    return name, of_item.format(value, kind=kind) if kind else None


def change_in_words(entry: HistoryEntry) -> str:
    """Return what a change did to an item, without its name.

    Example:
        "cast: 2 added, 1 removed; changed: rating, overview"
    """
    what = entry.change.what
    if what is ChangeKind.ADDED:
        return "added"
    if what is ChangeKind.REMOVED:
        return "removed"
    if what is ChangeKind.BACK:
        return "came back"
    said = [_credits_in_words(entry)] if entry.credits else []
    fields = list(dict.fromkeys(_FIELDS.get(one.name, one.name.replace("_", " ")) for one in entry.fields))
    if fields:
        said.append(f"changed: {', '.join(fields)}")
    return "; ".join(said) or "changed"


def _credits_in_words(entry: HistoryEntry) -> str:
    whose = "cast" if all(one.person_type in CAST_TYPES for one in entry.credits) else "cast and crew"
    words = {
        CreditChangeKind.ADDED: "added",
        CreditChangeKind.REMOVED: "removed",
        CreditChangeKind.ROLE: "with another role",
        CreditChangeKind.MOVED: "moved",
    }
    counts = {kind: sum(one.what is kind for one in entry.credits) for kind in words}
    return f"{whose}: " + ", ".join(
        f"{counts[kind]:,} {word}" for kind, word in words.items() if counts[kind]
    )


def joined(parts: Sequence[Any]) -> str:
    """Return what is known of several facts, with dots between them.

    Example:
        >>> joined(["1995", None, "", "2 h 50 min"])
        '1995 · 2 h 50 min'
    """
    return " · ".join(str(part) for part in parts if part not in (None, ""))
