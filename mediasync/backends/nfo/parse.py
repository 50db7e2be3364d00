"""Parsing: the bytes of an NFO file to what it says of one or several items. Pure, no files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from mediasync.backends.nfo.cleaning import ForeignNfoError, NfoError, plain_text
from mediasync.backends.nfo.document import FOREIGN_ROOTS, Node, read_document
from mediasync.backends.nfo.people import parse_credits
from mediasync.backends.nfo.values import (
    parse_added,
    parse_genres,
    parse_images,
    parse_number,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_runtime,
    parse_year,
    provider_ids_in_text,
)
from mediasync.models import Credit, Rating
from mediasync.vocabulary import MediaType

_KINDS: Final = {
    "movie": MediaType.MOVIE,
    "tvshow": MediaType.SHOW,
    "season": MediaType.SEASON,
    "episodedetails": MediaType.EPISODE,
}
_CONTENT: Final = frozenset(
    {
        *(
            "plot",
            "outline",
            "tagline",
            "year",
            "premiered",
            "releasedate",
            "aired",
            "genre",
            "country",
            "studio",
        ),
        *("uniqueid", "imdbid", "tmdbid", "tvdbid", "id", "mpaa", "ratings", "rating", "runtime", "status"),
        *("originaltitle", "thumb", "fanart", "set", "tag"),
    }
)


@dataclass(slots=True)
class Record:
    """What a file says of one item, before anything outside the file is known.

    Attributes:
        kind: what it describes.
        credits: its people; ``None`` where the file does not prove anything about them.
        season: the season's number, of a season or an episode.
        episode: the episode's number.
        episode_end: the last episode's number, where several are one item.
        problems: what could not be understood, one line each.

    The other attributes are those of `mediasync.models.MediaItem`; ``title`` is empty where there is none.
    """

    kind: MediaType
    title: str = ""
    original_title: str | None = None
    sort_title: str | None = None
    overview: str | None = None
    tagline: str | None = None
    year: int | None = None
    premiere_date: date | None = None
    runtime_seconds: int | None = None
    content_rating: str | None = None
    ratings: list[Rating] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    provider_ids: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    added_at: str | None = None
    credits: list[Credit] | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    problems: list[str] = field(default_factory=list)


def parse_nfo(data: bytes, expected: MediaType) -> list[Record]:
    """Parse the bytes of one NFO file.

    A list of people is complete as soon as the document was read to its end, so an empty one is proof that
    there are none. Only a document that says next to nothing (a title, or the bare address of a provider's
    page) proves nothing, and its ``credits`` are ``None``.

    Args:
        data: the whole file.
        expected: what the file should describe by its name and place; it decides where the root element
            is misspelt or missing.

    Returns:
        One record for each root element, in the order of the file; at least one.

    Raises:
        NfoError: if it is cut off, does not fit together or declares entities. Nothing of such a file may be
            used.
        ForeignNfoError: if it is whole, but about something else.

    Example:
        >>> [record] = parse_nfo(b"<movie><title>Heat</title><year>1995</year></movie>", MediaType.MOVIE)
        >>> record.title, record.year, record.credits
        ('Heat', 1995, [])
    """
    document = read_document(data)
    ours = [root for root in document.roots if root.name not in FOREIGN_ROOTS]
    if not ours:
        if document.roots:
            raise ForeignNfoError(f"<{document.roots[0].name}> is about neither a film nor a show")
        ids = provider_ids_in_text(document.outside, expected)
        if not ids:
            raise NfoError("it holds no description of a film or show, and no address of one")
        return [Record(expected, provider_ids=ids, problems=document.problems)]
    records = [_record(root, expected) for root in ours]
    records[0].problems[:0] = document.problems
    if document.outside:
        ids = provider_ids_in_text(document.outside, records[0].kind)
        if not ids:
            records[0].problems.append("text outside of the XML was left out")
        elif len(records) == 1:
            records[0].provider_ids = ids | records[0].provider_ids
    return records


def _record(node: Node, expected: MediaType) -> Record:
    kind = _KINDS.get(node.name, expected)
    problems: list[str] = []
    premiere = parse_premiere(node, problems)
    year = parse_year(node.first("year")) or (premiere.year if premiere else None)
    return Record(
        kind=kind,
        title=node.first("title", "localtitle")
        or (node.first("showtitle") if kind is MediaType.SHOW else ""),
        original_title=node.first("originaltitle") or None,
        sort_title=node.first("sorttitle") or None,
        overview=plain_text(node.first("plot", "outline", "review", "biography")) or None,
        tagline=plain_text(node.first("tagline")) or None,
        year=year,
        premiere_date=premiere,
        runtime_seconds=parse_runtime(node),
        content_rating=node.first("mpaa", "certification") or None,
        ratings=parse_ratings(node, problems),
        genres=parse_genres(node),
        provider_ids=parse_provider_ids(node),
        images=parse_images(node, kind),
        added_at=parse_added(node),
        credits=_credits(node),
        season=_not_negative(node.first("seasonnumber", "season")) if kind is not MediaType.SHOW else None,
        episode=_not_negative(node.first("episode")),
        episode_end=_not_negative(node.first("episodenumberend")),
        problems=problems,
    )


def _not_negative(text: str) -> int | None:
    number = parse_number(text)
    return number if number is not None and number >= 0 else None


def _credits(node: Node) -> list[Credit] | None:
    found = parse_credits(node)
    if found:
        return found
    told = node.first("title") and any(child.text and child.name in _CONTENT for child in node.children)
    return [] if told else None
