"""The answers of the tools: what a program reads, and the same as short lines for a language model.

All texts of servers in them are clean, and cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mediasync.integrations.mcp.texts import titled
from mediasync.wording import counted, joined


def _years(first: int | None, last: int | None) -> str:
    return f"{first}-{last}" if first != last else str(first or "")


class Answer(BaseModel):
    """The base of answers and their parts. Fields that are not known are left out."""

    model_config = ConfigDict(extra="forbid")

    def document(self) -> dict[str, Any]:
        """Return the answer as JSON has it."""
        return self.model_dump(mode="json", exclude_none=True)


class Item(Answer):
    """A movie, show, season or episode."""

    id: str = Field(description="pass it on to other tools as it is")
    type: str
    title: str
    year: int | None = None
    show: str | None = Field(None, description="the title of the show of a season or episode")
    show_id: str | None = None
    season: int | None = None
    episode: int | None = None
    rating: float | None = Field(None, description="from 0 to 10")
    source: str
    added_at: str | None = None

    def name(self) -> str:
        """Return the title with what an episode is of."""
        code = "" if self.season is None or self.type == "show" else f"S{self.season:02}"
        if self.episode is not None:
            code += f"E{self.episode:02}"
        return joined((joined((self.show, code), " "), titled(self.title, self.year)), ": ")

    def line(self, *more: str) -> str:
        """Return one line: the name, the type, what is given, and the id."""
        rating = "" if self.rating is None else f"{self.rating:g}/10"
        return f"{joined((self.name(), self.type, rating, *more))} | id: {self.id}"


class Person(Answer):
    """A person, with what tells people of one name apart."""

    id: str = Field(description="pass it on to other tools as it is")
    name: str
    source: str
    works: int = Field(description="in how many movies and shows the person is credited")
    first_year: int | None = None
    last_year: int | None = None
    known_for: str | None = None

    def line(self, *more: str) -> str:
        """Return one line: the name, what tells apart, what is given, and the id."""
        best = f"known for {self.known_for}" if self.known_for else ""
        years = _years(self.first_year, self.last_year)
        told = joined((self.name, *more, joined((counted(self.works, "work"), years), " "), best))
        return f"{told} | id: {self.id}"


class PeopleToChooseFrom(Answer):
    """The people who fit a name that several have."""

    asked: str
    people: list[Person]
    more: bool = Field(description="whether there are others beside these")

    def lines(self) -> list[str]:
        """Return a question, and one line for each person."""
        others = " and others" if self.more else ""
        head = f"Several people fit {self.asked!r}{others}. Ask again with the id of one of them:"
        return [head, *(f"- {one.line()}" for one in self.people)]


class Understood(Answer):
    """Who a name was taken for: one human, whom each source knows as a person of its own."""

    asked: str
    people: list[Person]
    similar: bool = Field(description="whether nobody has this name, and this one is only spelt like it")

    def line(self) -> str:
        """Return who it was taken for."""
        how = "spelt like" if self.similar else "taken for"
        return f"{self.asked!r} is {how} " + "; ".join(one.line() for one in self.people)


class AnswerAboutPeople(Answer):
    """The base of answers to questions that name people."""

    choose: list[PeopleToChooseFrom] = Field(
        default=[], description="names that several people have; if there are any, nothing else is answered"
    )
    understood: list[Understood] = Field(default=[], description="who the names were taken for")

    def text(self) -> str:
        """Return the answer as lines."""
        if self.choose:
            return "\n".join(line for one in self.choose for line in one.lines())
        return "\n".join([*(one.line() for one in self.understood), *self.body()])

    def body(self) -> list[str]:
        """Return the lines of the answer itself."""
        raise NotImplementedError


def _page(rows: Sequence[str], following: str | None, nothing: str) -> list[str]:
    lines = [f"- {row}" for row in rows] or [nothing]
    return [*lines, f"More with cursor: {following}"] if following else lines


class FoundItem(Item):
    """A title that a search found."""

    match: str = Field(description="exact, beginning, words, prefixes or similar")
    same_ids: list[str] = Field(default=[], description="the same title in other sources and libraries")


class FoundPerson(Person):
    """A person whom a search found."""

    match: str = Field(description="exact, beginning, words, prefixes or similar")
    same_ids: list[str] = Field(default=[], description="the same human in other sources")


class SearchAnswer(Answer):
    """What a search found, the best first."""

    titles: list[FoundItem]
    people: list[FoundPerson]

    def text(self) -> str:
        """Return the answer as lines."""
        lines: list[str] = []
        if self.titles:
            lines += ["Titles:", *(f"- {one.line(*_found(one))}" for one in self.titles)]
        if self.people:
            lines += ["People:", *(f"- {one.line(*_found(one))}" for one in self.people)]
        return "\n".join(lines) or "Nothing that is stored is like this."


def _found(one: FoundItem | FoundPerson) -> list[str]:
    also = f"also as {'; '.join(one.same_ids)}" if one.same_ids else ""
    return ["similar" if one.match == "similar" else "", also]


class Credit(Answer):
    """A credit in a title; of a show or a season, all that one person did in it."""

    name: str
    person_id: str = Field(description="pass it on to other tools as it is")
    functions: list[str]
    roles: list[str] = Field(default=[], description="the characters, or the words of the crew job")
    episodes: int | None = Field(None, description="of a show or season: how many episodes credit the person")
    main: bool | None = Field(None, description="of a show or season: whether they are of the main cast")

    def line(self) -> str:
        """Return one line."""
        roles = f"as {' / '.join(self.roles)}" if self.roles else ""
        number = counted(self.episodes, "episode") if self.episodes else ""
        told = joined((self.name, roles, " and ".join(self.functions), number))
        return f"{told} | id: {self.person_id}"


class ItemDetails(Item):
    """A title with its cast and crew."""

    original_title: str | None = None
    overview: str | None = None
    tagline: str | None = None
    premiere_date: str | None = None
    runtime_minutes: int | None = None
    content_rating: str | None = None
    ratings: dict[str, float] = {}
    genres: list[str] = []
    provider_ids: dict[str, str] = {}
    library_id: str | None = None
    completeness: str | None = Field(
        None, description="how much of the credits is known: none, preview, full"
    )
    cast: list[Credit] = []
    cast_total: int = 0
    crew: list[Credit] = []
    crew_total: int = 0
    same_ids: list[str] = Field(default=[], description="the same title in other sources and libraries")

    def lines(self) -> list[str]:
        """Return all that is known, line by line."""
        runtime = f"{self.runtime_minutes} min" if self.runtime_minutes else ""
        found = [
            self.line(runtime, self.content_rating or ""),
            f"Original title: {self.original_title}" if self.original_title else "",
            f"Genres: {', '.join(self.genres)}" if self.genres else "",
            f"Tagline: {self.tagline}" if self.tagline else "",
            f"Plot: {self.overview}" if self.overview else "",
            f"Premiere: {self.premiere_date}" if self.premiere_date else "",
            "Ids: " + joined(f"{name}:{value}" for name, value in self.provider_ids.items())
            if self.provider_ids
            else "",
            f"Library: {self.library_id}; source: {self.source}",
            f"Also as: {'; '.join(self.same_ids)}" if self.same_ids else "",
        ]
        for what, shown, total in (
            ("Cast", self.cast, self.cast_total),
            ("Crew", self.crew, self.crew_total),
        ):
            if total:
                all_of_it = "" if total == len(shown) else f", {len(shown)} of {total:,}; get_cast has all"
                found += [f"{what}{all_of_it}:", *(f"- {one.line()}" for one in shown)]
        if not self.cast_total and not self.crew_total:
            found.append("No credits are known.")
        return [line for line in found if line]


class ItemAnswer(Answer):
    """One title, or those to choose from."""

    item: ItemDetails | None = None
    choose: list[Item] = Field(default=[], description="titles that fit; if there are any, ask again by id")
    more: bool = Field(default=False, description="whether there are others to choose from")

    def text(self) -> str:
        """Return the answer as lines."""
        if self.item is not None:
            return "\n".join(self.item.lines())
        return "\n".join(_choice(self.choose, more=self.more))


def _choice(items: Sequence[Item], *, more: bool) -> list[str]:
    others = " and others" if more else ""
    head = f"Several titles fit{others}. Ask again with the id of one of them:"
    return [head, *(f"- {one.line(f'source {one.source}')}" for one in items)]


class PartsOfItem(Answer):
    """The base of pages of what belongs to one title."""

    item: Item | None = None
    choose: list[Item] = Field(default=[], description="titles that fit; if there are any, ask again by id")
    more: bool = Field(default=False, description="whether there are others to choose from")
    next: str | None = Field(None, description="the cursor of the next page")

    def text(self) -> str:
        """Return the answer as lines."""
        if self.item is None:
            return "\n".join(_choice(self.choose, more=self.more))
        return "\n".join([self.item.line(), *_page(self.listed(), self.next, "There are none.")])

    def listed(self) -> list[str]:
        """Return a line for each row."""
        raise NotImplementedError


class CastAnswer(PartsOfItem):
    """A page of the credits of a title."""

    credits: list[Credit] = []

    def listed(self) -> list[str]:
        """Return a line for each credit."""
        return [one.line() for one in self.credits]


class ChildrenAnswer(PartsOfItem):
    """A page of the seasons of a show, or of the episodes of a season."""

    children: list[Item] = []

    def listed(self) -> list[str]:
        """Return a line for each season or episode."""
        return [one.line() for one in self.children]


class PersonDetails(Person):
    """A person with ids at public providers and functions."""

    provider_ids: dict[str, str] = {}
    functions: dict[str, int] = Field(default={}, description="the number of movies and shows by function")


class PersonAnswer(AnswerAboutPeople):
    """One human, whom each source knows as a person of its own."""

    people: list[PersonDetails] = []

    def body(self) -> list[str]:
        """Return a line for each source that knows the human."""
        lines: list[str] = []
        for one in self.people:
            lines.append(f"In source {one.source}: {one.line()}")
            lines += [
                f"  {what}: {joined(f'{name} {value}' for name, value in values.items())}"
                for what, values in (("functions", one.functions), ("provider ids", one.provider_ids))
                if values
            ]
        return lines


class Work(Answer):
    """A movie or a show, with what one person did in it."""

    id: str = Field(description="pass it on to other tools as it is")
    type: str
    title: str
    year: int | None = None
    source: str
    functions: list[str] = []
    roles: list[str] = []
    episodes: int | None = None
    first_year: int | None = None
    last_year: int | None = None

    def line(self) -> str:
        """Return one line."""
        roles = f"as {' / '.join(self.roles)}" if self.roles else ""
        number = counted(self.episodes, "episode") if self.episodes else ""
        told = (titled(self.title, self.year), self.type, " and ".join(self.functions), roles, number)
        return f"{joined(told)} | id: {self.id}"


class FilmographyAnswer(AnswerAboutPeople):
    """A page of what a person did, the oldest first."""

    works: list[Work] = []
    next: str | None = Field(None, description="the cursor of the next page")
    totals: dict[str, int] = Field(default={}, description="how many titles each section has")

    def body(self) -> list[str]:
        """Return a line for each title."""
        totals = joined(f"{name} {number:,}" for name, number in self.totals.items())
        return [
            f"Titles by section: {totals}",
            *_page([one.line() for one in self.works], self.next, "None."),
        ]


class FindAnswer(AnswerAboutPeople):
    """A page of titles that credit all of some people, and none of others, the oldest first."""

    items: list[Item] = []
    next: str | None = Field(None, description="the cursor of the next page")

    def body(self) -> list[str]:
        """Return a line for each title."""
        nothing = "Nothing that is stored credits them so."
        return _page([one.line() for one in self.items], self.next, nothing)


class Costar(Answer):
    """Somebody with whom a person worked."""

    person: Person
    together: int = Field(description="in how many movies and shows both are credited")
    titles: list[str] = Field(default=[], description="some of them, the newest first")


class CostarsAnswer(AnswerAboutPeople):
    """With whom a person worked, the most often first."""

    costars: list[Costar] = []

    def body(self) -> list[str]:
        """Return a line for each of them."""
        rows = [one.person.line(f"{one.together:,} together ({joined(one.titles)})") for one in self.costars]
        return _page(rows, None, "Nobody is credited together with this person.")


class Ranked(Answer):
    """A person with the number that they are ranked by."""

    person: Person
    count: int


class TopAnswer(Answer):
    """Who is credited most often in a function."""

    people: list[Ranked]

    def text(self) -> str:
        """Return the answer as lines."""
        rows = [one.person.line(f"{one.count:,} in this function") for one in self.people]
        return "\n".join(_page(rows, None, "Nobody is credited so."))


class Pair(Answer):
    """Two people who worked together."""

    first: Person
    second: Person
    together: int


class PairsAnswer(Answer):
    """Which two people worked together most often."""

    pairs: list[Pair]

    def text(self) -> str:
        """Return the answer as lines."""
        rows = [f"{one.together:,}: {one.first.line()} + {one.second.line()}" for one in self.pairs]
        return "\n".join(_page(rows, None, "No two people are credited together so."))


class ListAnswer(Answer):
    """A page of a list of items."""

    items: list[Item]
    total: int
    next: str | None = Field(None, description="the cursor of the next page")

    def text(self) -> str:
        """Return the answer as lines."""
        rows = [one.line() for one in self.items]
        return "\n".join([f"{counted(self.total, 'item')}:", *_page(rows, self.next, "None.")])


class Count(Answer):
    """How many items have one value."""

    value: str
    items: int


class CountAnswer(Answer):
    """How many items there are of each type, year, decade, genre, library or source."""

    total: int
    counts: list[Count] = Field(description="most first; an item of several genres or libraries is in each")
    left_out: int = Field(description="how many further values there are")

    def text(self) -> str:
        """Return the answer as lines."""
        rows = [f"{one.value}: {one.items:,}" for one in self.counts]
        rest = [f"and {self.left_out:,} more values"] if self.left_out else []
        return "\n".join([f"{counted(self.total, 'item')}:", *(f"- {row}" for row in rows), *rest])


class Change(Answer):
    """One change of what the mirror shows."""

    number: int
    at: str | None = None
    what: str = Field(description="added, changed, removed or merged")
    entity: str = Field(description="item, person, library or source")
    id: str
    name: str | None = None
    fields: list[str] = Field(default=[], description="of a change: the fields that changed")

    def line(self) -> str:
        """Return one line."""
        fields = f"({', '.join(self.fields)})" if self.fields else ""
        words = (self.at, self.what, self.entity, self.name, fields)
        return f"{self.number}: {joined(words, ' ')} | id: {self.id}"


class ChangesAnswer(Answer):
    """Changes in the order in which they were made."""

    changes: list[Change]
    next_after: int = Field(description="give it as `after` to go on from here, now or another day")
    newest: int = Field(description="the number of the newest change")

    def text(self) -> str:
        """Return the answer as lines."""
        lines = [f"- {one.line()}" for one in self.changes] or ["Nothing changed."]
        more = "; there are more" if self.next_after < self.newest else ""
        return "\n".join([*lines, f"Go on with after: {self.next_after}{more}"])


class Removed(Answer):
    """An item that its source no longer has. It is kept for some days."""

    id: str
    type: str
    title: str
    year: int | None = None
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    source: str
    missing_since: str | None = None


class RemovedAnswer(Answer):
    """A page of removed items, the latest first."""

    items: list[Removed]
    next: str | None = Field(None, description="the cursor of the next page")

    def text(self) -> str:
        """Return the answer as lines."""
        rows = [
            f"{joined((one.show, titled(one.title, one.year)), ': ')}, {one.type}, source {one.source}, "
            f"missing since {one.missing_since} | id: {one.id}"
            for one in self.items
        ]
        return "\n".join(_page(rows, self.next, "No item is missing at its source."))


class SourceStatus(Answer):
    """A source, how much is stored of it, and its last sync."""

    id: str
    name: str
    kind: str
    items: int
    people: int
    credits: int
    removed: int
    last_sync: str | None = Field(None, description="when the last sync began")
    last_status: str | None = Field(None, description="how it ended, or running")
    last_error: str | None = None


class LibraryStatus(Answer):
    """A library with the number of its items by type."""

    id: str
    source: str
    title: str
    kind: str
    items: dict[str, int]


class StatusAnswer(Answer):
    """What is stored."""

    sources: list[SourceStatus]
    libraries: list[LibraryStatus]
    newest_change: int

    def text(self) -> str:
        """Return the answer as lines."""
        lines = ["Sources:"] if self.sources else ["Nothing is stored yet: no source was ever synced."]
        for one in self.sources:
            sync = f"last sync {one.last_sync}: {one.last_status}" if one.last_sync else "never synced"
            counts = f"{counted(one.items, 'item')}, {one.people:,} people, {counted(one.credits, 'credit')}"
            lines.append(f"- {one.name} ({one.kind}), {counts}, {sync} | id: {one.id}")
        if self.libraries:
            lines.append("Libraries:")
        for library in self.libraries:
            numbers = joined(counted(number, name) for name, number in library.items.items())
            lines.append(f"- {joined((library.title, library.kind, numbers))} | id: {library.id}")
        return "\n".join([*lines, f"Newest change: {self.newest_change}"])
