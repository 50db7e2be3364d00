"""Writing items as the elements of NFO files, in Kodi's dialect. Pure.

What Kodi has an element for stands in that element. What reading that element would change stands in a mark
beside it as well, which mediasync reads and other programs ignore; see `mediasync.formats.nfo.marks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from mediasync.formats.nfo import marks
from mediasync.formats.nfo.cleaning import meaning, one_line, plain_text
from mediasync.formats.nfo.elements import PERSONS
from mediasync.formats.nfo.marks import visible
from mediasync.formats.nfo.nodes import Node, make_node
from mediasync.formats.nfo.values import (
    image_reference,
    parse_added,
    parse_genres,
    parse_images,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_release_year,
    parse_runtime,
)
from mediasync.models import AnyMediaItem, Credit, Rating
from mediasync.vocabulary import CAST_TYPES, Completeness, MediaType, PersonType

HEADER: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_ROOTS: Final = {
    MediaType.MOVIE: "movie",
    MediaType.SHOW: "tvshow",
    MediaType.SEASON: "season",
    MediaType.EPISODE: "episodedetails",
}
_CREW_ELEMENTS: Final = {
    PersonType.DIRECTOR: "director",
    PersonType.WRITER: "credits",
    PersonType.PRODUCER: "producer",
    PersonType.COMPOSER: "composer",
    PersonType.CREATOR: "creator",
    PersonType.EDITOR: "editor",
}
_OTHERS: Final = "crew"
_ID_ELEMENTS: Final = {"imdb": "imdbid", "tmdb": "tmdbid", "tvdb": "tvdbid"}
"""The elements and attributes with a person's ids that other programs know."""
_FOR_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_FOR_VALUES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)
_MINUTE: Final = 60


def write_item(item: AnyMediaItem, season_names: Mapping[int, str] | None = None) -> str:
    """Return the element of an item, which with `HEADER` before it is an NFO file.

    Several elements of episodes one after another are a file, too.

    Args:
        item: an item with its credits.
        season_names: of a show the titles of its seasons, by number.

    Example:
        >>> from mediasync.models import Credit, Movie, Person
        >>> ada = Credit(person=Person(name="Ada One"), person_type="director")
        >>> print(write_item(Movie(remote_id="1", title="Heat & Dust", credits=[ada])))
        <movie mediasync="full">
          <title>Heat &amp; Dust</title>
          <director credit="billing=0">Ada One</director>
        </movie>
        <BLANKLINE>
    """
    root = _ROOTS[item.media_type]
    completeness = item.completeness or (Completeness.FULL if item.credits else Completeness.NONE)
    lines = [f'<{root} {marks.ROOT}="{completeness}">']
    lines += (f"  {line}" for line in _fields(item, season_names or {}))
    lines += (f"  {line}" for place, one in enumerate(item.credits or ()) for line in _credit(one, place))
    return "\n".join([*lines, f"</{root}>\n"])


def _fields(item: AnyMediaItem, season_names: Mapping[int, str]) -> Iterator[str]:
    yield _exactly("title", item.title, one_line)
    for tag, text, read in (
        ("originaltitle", item.original_title, one_line),
        ("sorttitle", item.sort_title, one_line),
    ):
        if text:
            yield _exactly(tag, text, read)
    yield from _ratings(item.ratings)
    for tag, text, read in (
        ("plot", item.overview, plain_text),
        ("tagline", item.tagline, plain_text),
        ("mpaa", item.content_rating, one_line),
    ):
        if text:
            yield _exactly(tag, text, read)
    if item.runtime_seconds is not None:
        minutes, seconds = divmod(item.runtime_seconds, _MINUTE)
        shown = f"{minutes} min {seconds} s" if seconds else str(minutes)
        read_back = parse_runtime(_item_with("runtime", shown))
        yield _valued("runtime", shown, str(item.runtime_seconds), read_back == item.runtime_seconds)
    yield from _images(item)
    yield from _provider_ids(item)
    for genre in item.genres:
        yield _exactly("genre", genre, lambda text: "\0".join(parse_genres(_item_with("genre", text))))
    yield from _dates(item)
    yield from _numbers(item)
    for number, name in sorted(season_names.items()):
        yield _element("namedseason", name, {"number": str(number)})


def _dates(item: AnyMediaItem) -> Iterator[str]:
    premiere = item.premiere_date
    if premiere is not None:
        tag = "aired" if item.media_type is MediaType.EPISODE else "premiered"
        text = premiere.isoformat()
        yield _valued(tag, text, text, parse_premiere(_item_with(tag, text), []) == premiere)
    text = "" if item.year is None else str(item.year)
    if text or premiere is not None:
        read_back = parse_release_year(_item_with("year", text), premiere)
        yield _valued("year", text, text, read_back == item.year)
    added = item.added_at
    if text := added.isoformat(sep=" ") if isinstance(added, datetime) else added or "":
        yield _exactly("dateadded", text, lambda given: parse_added(_item_with("dateadded", given)) or "")


def _numbers(item: AnyMediaItem) -> Iterator[str]:
    season, episode = getattr(item, "season_number", None), getattr(item, "episode_number", None)
    last = getattr(item, "episode_number_end", None)
    tag = "seasonnumber" if item.media_type is MediaType.SEASON else "season"
    for name, number in ((tag, season), ("episode", episode), ("episodenumberend", last)):
        if number is not None:
            yield _element(name, str(number))


def _ratings(ratings: list[Rating]) -> Iterator[str]:
    if not ratings:
        return
    nodes = [
        make_node(
            "rating",
            attributes={"name": meaning(visible(one.name)).strip(), "default": str(not place).lower()},
            children=[
                make_node("value", repr(one.value)),
                make_node("votes", "" if one.votes is None else str(one.votes)),
            ],
        )
        for place, one in enumerate(ratings)
    ]
    read = parse_ratings(make_node("movie", children=[make_node("ratings", children=nodes)]), [])
    given = [(one.name, one.value, one.votes) for one in ratings]
    yield "<ratings>"
    for place, (name, value, votes) in enumerate(given):
        values = {"name": name, "max": "10", "default": str(not place).lower()}
        count = "" if votes is None else str(votes)
        if [tuple(one) for one in read] != given:
            values[marks.EXACT] = marks.encode_pairs(
                [("name", name), ("value", repr(value)), ("votes", count)]
            )
        yield f"  <rating{_attributes(values)}>"
        yield f"    {_element('value', repr(value))}"
        if count:
            yield f"    {_element('votes', count)}"
        yield "  </rating>"
    yield "</ratings>"


def _images(item: AnyMediaItem) -> Iterator[str]:
    """Yield the pictures that other machines can open, and that the kinds of pictures in NFO files fit."""
    for kind, reference in item.images.items():
        if kind == "fanart":
            node = make_node("fanart", children=[make_node("thumb", reference)])
        else:
            node = make_node("thumb", reference, {"aspect": kind})
        read = parse_images(make_node("movie", children=[node]), item.media_type)
        if visible(reference) != reference or read != {kind: reference}:
            continue
        if kind == "fanart":
            yield f"<fanart>{_element('thumb', reference)}</fanart>"
        else:
            yield _element("thumb", reference, {"aspect": kind})


def _provider_ids(item: AnyMediaItem) -> Iterator[str]:
    for place, (provider, value) in enumerate(item.provider_ids.items()):
        node = make_node(
            "uniqueid",
            meaning(visible(value)).strip(),
            {"type": meaning(visible(provider)).strip()},
        )
        values = {"type": provider} | ({} if place else {"default": "true"})
        if parse_provider_ids(make_node("movie", children=[node])) != {provider: value}:
            values[marks.EXACT] = marks.encode_pairs([(provider, value)])
        yield _element("uniqueid", value, values)


def _credit(credit: Credit, place: int) -> Iterator[str]:
    person, role = credit.person, credit.role
    kind = credit.person_type
    is_cast = kind in CAST_TYPES
    tag = "actor" if is_cast else _CREW_ELEMENTS.get(kind, _OTHERS)  # type: ignore[call-overload]
    pairs = [("billing", str(place))]
    if not _is_kept(person.name, one_line):
        pairs.append(("name", person.name))
    if PERSONS.get(tag) != kind:
        pairs.append(("type", str(kind)))
    if role and not (is_cast and _is_kept(role, one_line)):
        pairs.append(("role", role))
    picture = person.image_path if image_reference(person.image_path or "") == person.image_path else None
    picture = picture if picture and visible(picture) == picture else None
    if picture and not is_cast:
        pairs.append(("image", picture))
    pairs += ((f"{marks.ID_PREFIX}{provider}", value) for provider, value in person.provider_ids.items())
    known = {
        name: person.provider_ids[provider]
        for provider, name in _ID_ELEMENTS.items()
        if provider in person.provider_ids
    }
    mark = {marks.CREDIT: marks.encode_pairs(pairs)}
    if not is_cast:
        yield _element(tag, person.name, known | mark)
        return
    yield f"<actor{_attributes(mark)}>"
    yield f"  {_element('name', person.name)}"
    if role:
        yield f"  {_element('role', role)}"
    if kind is PersonType.GUEST_STAR:
        yield "  <type>GuestStar</type>"
    yield f"  <order>{place}</order>"
    if picture:
        yield f"  {_element('thumb', picture)}"
    for name, value in known.items():
        yield f"  {_element(name, value)}"
    yield "</actor>"


# Elements


def _is_kept(text: str, read: Callable[[str], str]) -> bool:
    """Whether an element with this text is read as the same text."""
    shown = visible(text)
    return shown == text and read(meaning(shown).strip()) == text


def _exactly(tag: str, text: str, read: Callable[[str], str]) -> str:
    """Return an element with a text, and with a mark if it would be read as another one."""
    return _element(tag, text, {} if _is_kept(text, read) else {marks.EXACT: marks.encode(text)})


def _valued(tag: str, text: str, exact: str, is_kept: bool) -> str:
    """Return an element for a value, and with a mark if it would be read as another one."""
    if is_kept:
        return _element(tag, text)
    return _element(tag, exact, {marks.EXACT: marks.encode(exact)})


def _element(tag: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    shown = visible(text).translate(_FOR_TEXT)
    return f"<{tag}{_attributes(attributes or {})}>{shown}</{tag}>"


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{visible(value).translate(_FOR_VALUES)}"' for name, value in values.items())


def _item_with(tag: str, text: str) -> Node:
    return make_node("movie", children=[make_node(tag, text)])
