"""Find: the movies and shows that credit all of some people, and none of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request

from mediasync.errors import UsageError
from mediasync.library.lookup import look_up_human
from mediasync.vocabulary import MediaType, PersonType
from mediasync.web.forms import number_of
from mediasync.web.rendering import Answer
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.wording import told_apart, type_name
from mediasync.works import FindQuery, Who

if TYPE_CHECKING:
    from mediasync.summaries import ItemSummary, PersonSummary

_ITEMS: Final = 48
_CHOICES: Final = 12
_MOST_ROWS: Final = 20
_FEWEST_ROWS: Final = 2
_EARLIEST: Final = 1
_LATEST: Final = 9_999
_YES: Final = "with"
_NO: Final = "without"
_FUNCTIONS: Final = (
    PersonType.ACTOR,
    PersonType.GUEST_STAR,
    PersonType.DIRECTOR,
    PersonType.WRITER,
    PersonType.PRODUCER,
    PersonType.COMPOSER,
    PersonType.CREATOR,
    PersonType.EDITOR,
)


@dataclass(slots=True)
class Row:
    """One person of the question.

    Attributes:
        has: ``with`` or ``without``.
        function: the only function that counts; empty for any.
        name: a name or an id, as it was typed.
        ids: the people who are meant; empty if that is not clear.
        shown: who they are, in words.
        choices: of whom to choose, if several people may be meant: (address, name, what tells them apart).
        flaw: what is wrong; empty if nothing is.
    """

    has: str = _YES
    function: str = ""
    name: str = ""
    ids: list[str] = field(default_factory=list)
    shown: str = ""
    choices: list[tuple[str, str, str]] = field(default_factory=list)
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for.

    Attributes:
        rows: the people.
        first_year, last_year: the years.
        genres: all of which an item has.
        types: only items of these types; empty for movies and shows.
        source_ids: only of these sources.
    """

    rows: list[Row]
    first_year: int | None
    last_year: int | None
    genres: list[str]
    types: list[MediaType]
    source_ids: list[str]

    @classmethod
    def of(cls, query: QueryParams) -> Question:
        """Return the question that a query asks.

        Raises:
            UsageError: if it cannot be understood.
        """
        names = query.getlist("who")[:_MOST_ROWS]
        given = zip_longest(
            query.getlist("has")[: len(names)], query.getlist("as")[: len(names)], names, fillvalue=""
        )
        rows = [
            Row(
                _NO if has == _NO else _YES, str(PersonType.parse(function)) if function else "", name.strip()
            )
            for has, function, name in given
            if name.strip()
        ]
        first, last = _year(query, "from"), _year(query, "to")
        if first is not None and last is not None and first > last:
            raise UsageError(f"the years {first} to {last} end before they begin")
        return cls(
            rows,
            first,
            last,
            [one.strip() for one in query.getlist("genre") if one.strip()],
            [_media_type(one) for one in query.getlist("type") if one],
            [one for one in query.getlist("source") if one],
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return the query that asks this."""
        pairs = [
            pair for row in self.rows for pair in (("has", row.has), ("as", row.function), ("who", row.name))
        ]
        pairs += [("from", str(self.first_year))] if self.first_year is not None else []
        pairs += [("to", str(self.last_year))] if self.last_year is not None else []
        pairs += [("genre", one) for one in self.genres]
        pairs += [("type", str(one)) for one in self.types]
        return pairs + [("source", one) for one in self.source_ids]

    def address(self, **replaced: Any) -> str:
        """Return the query as it stands in an address, with further parameters."""
        return urlencode([*self.pairs(), *((name, str(value)) for name, value in replaced.items())])

    def address_with(self, row: Row, name: str) -> str:
        """Return the query with another name in one row."""
        before, row.name = row.name, name
        try:
            return self.address()
        finally:
            row.name = before


def _year(query: QueryParams, name: str) -> int | None:
    year = number_of(query, name, least=_EARLIEST)
    if year is not None and year > _LATEST:
        raise UsageError(f"{name}: {year} is not a year")
    return year


def _media_type(text: str) -> MediaType:
    try:
        return MediaType(text)
    except ValueError:
        raise UsageError(f"type: {text!r} is not a type; there are: {', '.join(MediaType)}") from None


async def show(request: Request, site: Site) -> Answer:
    """Return the form, and what is found."""
    question = Question.of(request.query_params)
    for row in question.rows:
        await _resolve(site, question, row)
    items: list[ItemSummary] | None = None
    following = query = None
    if _is_complete(question):
        query = FindQuery(
            with_people=[_who(row) for row in question.rows if row.has == _YES],
            without_people=[_who(row) for row in question.rows if row.has == _NO],
            media_types=question.types,
            first_year=question.first_year,
            last_year=question.last_year,
            genres=question.genres,
            source_ids=question.source_ids,
            roll_up=not {MediaType.SEASON, MediaType.EPISODE} & set(question.types),
        )
        found = await site.ms.library.find(
            query, after=request.query_params.get("after") or None, limit=_ITEMS
        )
        items, following = found.rows, found.next
    shown = [*question.rows, Row()]
    shown += [Row() for _ in range(_FEWEST_ROWS - len(shown))]
    context = {
        "rows": shown,
        "question": question,
        "asked": bool(question.rows),
        "only_without": bool(question.rows) and all(row.has == _NO for row in question.rows),
        "items": items,
        "is_first": not request.query_params.get("after"),
        "next": question.address(after=following) if following else None,
        "functions": [(str(one), type_name(one)) for one in _FUNCTIONS],
        "types": list(MediaType),
        "genres": await _genres(site),
        "sources": await site.ms.media.list_sources(),
    }
    document = {
        "query": query.model_dump(mode="json") if query else None,
        "people": [
            {
                "name": row.name,
                "ids": row.ids,
                "choices": [{"name": name, "text": text} for _, name, text in row.choices],
                "flaw": row.flaw or None,
            }
            for row in question.rows
        ],
        "items": [item.model_dump(mode="json") for item in items or ()],
        "next": following,
    }
    return Answer("find.html", context, document)


async def _genres(site: Site) -> list[str]:
    genres: list[str] = await site.memory.recall("genres", site.ms.library.list_genres)
    return genres


def _is_complete(question: Question) -> bool:
    """Return whether it is clear who is meant, and somebody is wanted."""
    return all(row.ids for row in question.rows) and any(row.has == _YES for row in question.rows)


def _who(row: Row) -> Who:
    return Who(person_ids=row.ids, person_types=[row.function] if row.function else [])


async def _resolve(site: Site, question: Question, row: Row) -> None:
    """Find out who is meant, or of whom to choose."""
    ms = site.ms
    named = await look_up_human(ms.people, row.name, source_ids=question.source_ids, search=ms.library)
    ids = [one.id for one in named.people if one.id]
    if not ids:
        row.flaw = f"Nobody is called {row.name!r}."
        return
    if named.is_one_human:
        row.ids = ids
        row.shown = named.people[0].name
        if named.similar:
            row.flaw = f"Nobody is called {row.name!r}; this is for {named.people[0].name}."
        return
    people: list[PersonSummary] = await ms.library.find_people(ids)
    people.sort(key=lambda one: -one.works)
    row.flaw = f"Several people fit {row.name!r}. Choose one:"
    row.choices = [
        (question.address_with(row, one.id), one.name, told_apart(one)) for one in people[:_CHOICES]
    ]


routes = page("/find", show)
