"""Parsing the bytes of an NFO file into records of the items that it describes. Pure."""

from __future__ import annotations

from functools import partial
from typing import Final

from mediasync.formats.nfo import marks
from mediasync.formats.nfo.cleaning import EmptyNfoError, ForeignNfoError, NfoError, one_line, plain_text
from mediasync.formats.nfo.document import Document, read_document
from mediasync.formats.nfo.elements import FOREIGN_ROOTS, IDS
from mediasync.formats.nfo.nodes import Node, first_text
from mediasync.formats.nfo.people import MOST_CREDITS, join_people, parse_people
from mediasync.formats.nfo.records import NfoRecord
from mediasync.formats.nfo.values import (
    exact_date,
    exact_genres,
    exact_number,
    exact_provider_ids,
    exact_ratings,
    parse_added,
    parse_genres,
    parse_images,
    parse_number,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_release_year,
    parse_runtime,
    provider_ids_in_text,
)
from mediasync.vocabulary import Completeness, MediaType

_KINDS: Final = {
    "movie": MediaType.MOVIE,
    "tvshow": MediaType.SHOW,
    "season": MediaType.SEASON,
    "episodedetails": MediaType.EPISODE,
}
_MARKS: Final = frozenset(map(str, Completeness))
_MOST_PROBLEMS: Final = 50
_WITH_PAGES: Final = frozenset({MediaType.MOVIE, MediaType.SHOW})
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
        *("id", *IDS, "uniqueid", "mpaa", "ratings", "rating", "runtime", "status"),
        *("originaltitle", "thumb", "fanart", "set", "tag"),
    }
)


def parse_nfo(data: bytes, expected: MediaType) -> list[NfoRecord]:
    """Parse the bytes of one NFO file.

    The list of people is full if the whole document was read and understood, so an empty list proves that
    there is nobody. The list is a preview if the document is damaged, or has unknown elements that may hold
    people. ``credits`` is None if the document proves nothing: if it has next to no content (only a title, or
    the address of a provider's page), or names nobody but has unknown elements with words in them.

    Args:
        data: the whole file.
        expected: what the file should describe, by its name and place. It decides if the root element is
            misspelt or missing.

    Returns:
        One record for each root element, in the order of the file; at least one.

    Raises:
        NfoError: if nothing in the file can be used, or it declares entities.
        ForeignNfoError: if the file is sound, but about something else.

    Example:
        >>> [record] = parse_nfo(b"<movie><title>Heat</title><year>1995</year></movie>", MediaType.MOVIE)
        >>> record.title, record.year, record.credits
        ('Heat', 1995, [])
        >>> damaged = b"<movie><title>Heat</title><director>A O</directr></movie>"
        >>> [record] = parse_nfo(damaged, MediaType.MOVIE)
        >>> [credit.name for credit in record.credits], str(record.completeness), record.damage
        (['A O'], 'preview', 'line 1: </directr> is where </director> should be')
    """
    document = read_document(data)
    ours = [root for root in document.roots if root.tag not in FOREIGN_ROOTS]
    if not ours:
        if document.roots:
            raise ForeignNfoError(f"<{document.roots[0].tag}> is about neither a film nor a show")
        return [_record_of_text(document, expected)]
    if document.damage:  # an empty element may be what is left of an end tag
        ours = [root for root in ours if len(root) or root.text] or ours
    records: list[NfoRecord] = []
    room = MOST_CREDITS
    for root in ours:
        records.append(_record(root, expected, room))
        room -= len(records[-1].credits or ())
    if document.damage:
        for record in records:
            _make_preview(record)
            record.damage, record.cut = document.damage, document.cut
        if not any(record.title or record.credits or record.provider_ids for record in records):
            raise NfoError(f"nothing in it can be used: {document.damage}")
    join_people([record.credits or [] for record in records if not record.exported])
    records[0].problems[:0] = document.problems
    for record in records:
        _shorten(record.problems)
    if document.outside:
        ids = provider_ids_in_text(document.outside, records[0].kind)
        if not ids:
            records[0].problems.append("text outside the XML was left out")
        elif len(records) == 1:
            records[0].provider_ids = ids | records[0].provider_ids
    return records


def _record_of_text(document: Document, expected: MediaType) -> NfoRecord:
    """Make a record of a text that names a provider's page, like a bare address or a scene release note.

    Beside an episode such a text names the page of the show, so no id is taken from it.
    """
    ids = provider_ids_in_text(document.outside, expected)
    if not ids:
        raise EmptyNfoError("it holds no description of a film or show, and no address of one")
    return NfoRecord(expected, provider_ids=ids if expected in _WITH_PAGES else {})


def _shorten(problems: list[str]) -> None:
    """Keep as many problems as anyone would read, and count the others."""
    if len(problems) > _MOST_PROBLEMS:
        problems[_MOST_PROBLEMS:] = [f"and {len(problems) - _MOST_PROBLEMS} more problems"]


def _make_preview(record: NfoRecord) -> None:
    record.credits = record.credits or None
    record.completeness = Completeness.PREVIEW if record.credits else None


def _record(node: Node, expected: MediaType, most_credits: int) -> NfoRecord:
    kind = _KINDS.get(node.tag, expected)
    is_show = kind is MediaType.SHOW
    problems: list[str] = []
    of_premiere: list[str] = []
    of_ratings: list[str] = []
    premiere = parse_premiere(node, of_premiere)
    marked = node.get(marks.ROOT) in _MARKS
    people = parse_people(node, most_credits, marked=marked)
    record = NfoRecord(
        kind=kind,
        title=one_line(
            first_text(node, "title", "localtitle")
            or (first_text(node, "showtitle") if kind is MediaType.SHOW else "")
        ),
        original_title=one_line(first_text(node, "originaltitle")) or None,
        sort_title=one_line(first_text(node, "sorttitle")) or None,
        overview=plain_text(first_text(node, "plot", "outline", "review", "biography")) or None,
        tagline=plain_text(first_text(node, "tagline")) or None,
        year=parse_release_year(node, premiere),
        premiere_date=premiere,
        runtime_seconds=parse_runtime(node),
        content_rating=one_line(first_text(node, "mpaa", "certification")) or None,
        ratings=parse_ratings(node, of_ratings),
        genres=parse_genres(node),
        provider_ids=parse_provider_ids(node),
        images=parse_images(node, kind),
        added_at=parse_added(node),
        credits=people.credits,
        completeness=Completeness.FULL,
        season=_not_negative(first_text(node, "seasonnumber", "season"))
        if kind is not MediaType.SHOW
        else None,
        episode=_not_negative(first_text(node, "episode")),
        episode_end=_not_negative(first_text(node, "episodenumberend")),
        season_names=_season_names(node) if is_show else {},
        problems=problems,
    )
    if marked:
        _take_exact_values(node, record, of_premiere, of_ratings)
    problems += of_premiere + of_ratings
    if people.doubts:
        problems[:0] = people.doubts
        _make_preview(record)
    elif marked:
        _complete(record, Completeness(node.get(marks.ROOT, "")))
    elif not people.credits and (people.has_unknown or not _says_something(node)):
        record.credits = record.completeness = None
    return record


def _take_exact_values(node: Node, record: NfoRecord, of_premiere: list[str], of_ratings: list[str]) -> None:
    """Take the values that an export marked, because reading them as other files would change them.

    Args:
        node: the element.
        record: what was read of it.
        of_premiere: the problems with its dates, which are removed if the exact date is known.
        of_ratings: the same of its ratings.
    """
    record.exported = True
    exact = partial(marks.first_exact, node)
    record.title = exact("title") or record.title
    record.original_title = exact("originaltitle") or record.original_title
    record.sort_title = exact("sorttitle") or record.sort_title
    record.overview = exact("plot") or record.overview
    record.tagline = exact("tagline") or record.tagline
    record.content_rating = exact("mpaa") or record.content_rating
    record.added_at = exact("dateadded") or record.added_at
    if premiere := exact_date(exact("premiered", "aired")):
        record.premiere_date = premiere
        of_premiere.clear()
    record.year = exact_number(exact("year"), record.year)
    record.runtime_seconds = exact_number(exact("runtime"), record.runtime_seconds)
    record.genres = exact_genres(node)
    record.provider_ids = exact_provider_ids(node, record.provider_ids)
    if ratings := exact_ratings(node):
        record.ratings = ratings
        of_ratings.clear()


def _complete(record: NfoRecord, completeness: Completeness) -> None:
    """Say how complete the credits are that an export wrote."""
    if completeness is Completeness.NONE and not record.credits:
        record.credits = record.completeness = None
    elif completeness is Completeness.PREVIEW:
        _make_preview(record)


def _season_names(node: Node) -> dict[int, str]:
    """Return the names of a show's seasons, from ``<namedseason number="1">`` elements."""
    names: dict[int, str] = {}
    wrapped = (child for wrapper in node.findall("namedseasons") for child in wrapper.findall("namedseason"))
    for child in (*node.findall("namedseason"), *wrapped):
        number = _not_negative(child.get("number", "") or child.get("season", ""))
        if number is not None and child.text:
            names.setdefault(number, one_line(child.text))
    return names


def _not_negative(text: str) -> int | None:
    number = parse_number(text)
    return number if number is not None and number >= 0 else None


def _says_something(node: Node) -> bool:
    return bool(first_text(node, "title")) and any(
        child.tag in _CONTENT and (child.text or len(child)) for child in node
    )
