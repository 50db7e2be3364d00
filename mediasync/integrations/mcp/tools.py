"""The tools: each asks the mirror one question, and makes an answer of what it says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from mediasync.changes import Change
from mediasync.errors import ChangesPruned, MediaSyncError, UsageError
from mediasync.filters import ItemFilter
from mediasync.integrations.mcp import answers, questions
from mediasync.integrations.mcp.rows import (
    FEW,
    change_row,
    credit_row,
    credits_by_person,
    item_fields,
    item_row,
    member_row,
    person_fields,
    person_row,
    shown_ids,
    shown_provider_ids,
    work_row,
)
from mediasync.integrations.mcp.texts import (
    LONGEST_MESSAGE,
    LONGEST_PLOT,
    clean,
    clean_or_none,
    given_id,
    shown_id,
    time_text,
    titled,
)
from mediasync.library.lookup import NamedPeople, look_up_human, look_up_items
from mediasync.models import AnyMediaItem
from mediasync.text import title_key
from mediasync.vocabulary import CAST_TYPES, EntityKind, MediaType, PersonType
from mediasync.works import CastMember, FilmographyTitle, FindQuery, Who

if TYPE_CHECKING:
    from mediasync.app import MediaSync

T = TypeVar("T")

_CHOICE: Final = 10
_CREW: Final = 30
_COUNTS: Final = 100
_GENRES: Final = 30
_MOST_CHANGES_READ: Final = 5_000
_WITH_FUNCTION: Final = re.compile(r"\s*([^\W\d][\w ]*?)\s*=\s*(\S.*)", re.DOTALL)


class NotStored(MediaSyncError):
    """Nothing that is stored is what an argument names. The message says what to try."""


class Tools:
    """The tools of one mirror.

    Args:
        ms: an open mirror. The tools only read it.
    """

    def __init__(self, ms: MediaSync) -> None:
        self._ms = ms

    async def search(self, question: questions.Search) -> answers.SearchAnswer:
        """Find titles and people by what somebody types."""
        found = await self._ms.library.search(
            question.text, kinds=question.kinds or None, limit=question.limit
        )
        return answers.SearchAnswer(
            titles=[
                answers.FoundItem(
                    **item_fields(hit.summary), match=hit.match, same_ids=shown_ids(hit.other_ids[:FEW])
                )
                for hit in found.titles
            ],
            people=[
                answers.FoundPerson(
                    **person_fields(hit.summary), match=hit.match, same_ids=shown_ids(hit.other_ids[:FEW])
                )
                for hit in found.people
            ],
        )

    async def get_item(self, question: questions.GetItem) -> answers.ItemAnswer:
        """Describe one title, with its cast and crew."""
        found = await self._find_item(question.item)
        if found.item is None:
            return answers.ItemAnswer(choose=found.choose, more=found.more)
        item, limit = found.item, question.cast_limit
        [summary] = await self._ms.library.find_items([item.id or ""])
        cast, crew = await self._credits(item)
        return answers.ItemAnswer(
            item=answers.ItemDetails(
                **item_fields(summary),
                original_title=clean_or_none(item.original_title),
                overview=clean_or_none(item.overview, LONGEST_PLOT),
                tagline=clean_or_none(item.tagline),
                premiere_date=time_text(item.premiere_date),
                runtime_minutes=round(item.runtime_seconds / 60) if item.runtime_seconds else None,
                content_rating=clean_or_none(item.content_rating),
                ratings={clean(one.name): one.value for one in item.ratings[:FEW]},
                genres=[clean(one) for one in item.genres[:_GENRES]],
                provider_ids=shown_provider_ids(item.provider_ids),
                library_id=shown_id(summary.library_id),
                completeness=summary.completeness,
                cast=cast[:limit],
                cast_total=len(cast),
                crew=crew[:_CREW],
                crew_total=len(crew),
                same_ids=shown_ids(found.same[:FEW]),
            )
        )

    async def get_cast(self, question: questions.GetCast) -> answers.CastAnswer:
        """List the credits of one title, page by page."""
        found = await self._find_item(question.item)
        if found.item is None:
            return answers.CastAnswer(choose=found.choose, more=found.more)
        item, limit = found.item, question.limit
        item_id = item.id or ""
        [summary] = await self._ms.library.find_items([item_id])
        if item.media_type in (MediaType.SHOW, MediaType.SEASON):
            first = _offset(question.cursor)
            types = None if question.function is None else [question.function]
            members = await self._members(item, types, first + limit + 1)
            rows, following = _part([member_row(one) for one in members], first, limit)
        else:
            page = await self._ms.library.list_cast(
                item_id, person_type=question.function, after=question.cursor, limit=limit
            )
            rows, following = [credit_row([one]) for one in page.rows], page.next
        return answers.CastAnswer(item=item_row(summary), credits=rows, next=following)

    async def get_children(self, question: questions.GetChildren) -> answers.ChildrenAnswer:
        """List the seasons of a show, or the episodes of a season."""
        found = await self._find_item(question.item)
        if found.item is None:
            return answers.ChildrenAnswer(choose=found.choose, more=found.more)
        item_id, first, limit = found.item.id or "", _offset(question.cursor), question.limit
        below = await self._ms.media.list_children(item_id, limit=limit + 1, offset=first)
        ids = [one.id or "" for one in below]
        [summary, *children] = await self._ms.library.find_items([item_id, *ids[:limit]])
        return answers.ChildrenAnswer(
            item=item_row(summary),
            children=list(map(item_row, children)),
            next=str(first + limit) if len(ids) > limit else None,
        )

    async def get_person(self, question: questions.GetPerson) -> answers.PersonAnswer:
        """Describe one human."""
        human = await self._find_humans([question.person])
        if human.choose:
            return answers.PersonAnswer(choose=human.choose)
        people = []
        for person_id in human.ids[0]:
            stored = await self._ms.people.find_by_id(person_id)
            films = await self._ms.library.filmography(person_id, self_apart=False)
            if stored is None or films.person is None:
                continue
            functions: dict[str, int] = {}
            for title in films.works:
                for kind in {one.person_type: None for one in title.functions}:
                    functions[clean(kind)] = functions.get(clean(kind), 0) + 1
            people.append(
                answers.PersonDetails(
                    **person_fields(films.person),
                    provider_ids=shown_provider_ids(stored.provider_ids),
                    functions=dict(sorted(functions.items(), key=lambda one: -one[1])[:FEW]),
                )
            )
        similar = [one for one in human.understood if one.similar]
        return answers.PersonAnswer(understood=similar, people=people)

    async def get_filmography(self, question: questions.GetFilmography) -> answers.FilmographyAnswer:
        """List what one human did, the oldest first."""
        human = await self._find_humans([question.person])
        if human.choose:
            return answers.FilmographyAnswer(choose=human.choose)
        sections: dict[str, list[FilmographyTitle]] = {"works": [], "as_self": [], "talk_shows": []}
        for person_id in human.ids[0]:
            films = await self._ms.library.filmography(
                person_id,
                person_types=question.functions or None,
                media_types=question.types or None,
            )
            for name, titles in sections.items():
                titles += getattr(films, name)
        found = sorted(sections[question.section], key=lambda one: (one.year is None, one.year or 0))
        rows, following = _part(found, _offset(question.cursor), question.limit)
        return answers.FilmographyAnswer(
            understood=human.understood,
            works=list(map(work_row, rows)),
            next=following,
            totals={name: len(titles) for name, titles in sections.items()},
        )

    async def find_titles(self, question: questions.FindTitles) -> answers.FindAnswer:
        """List titles that credit all of some people, and none of others."""
        await self._require_source(question.source)
        source_ids = [question.source] if question.source else []
        asked = [_with_function(one) for one in (*question.with_people, *question.without_people)]
        human = await self._find_humans([name for _, name in asked], source_ids)
        if human.choose:
            return answers.FindAnswer(choose=human.choose)
        who = [
            Who(person_ids=ids, person_types=[function] if function else [])
            for ids, (function, _) in zip(human.ids, asked, strict=True)
        ]
        parts = {"season", "episode"}
        query = FindQuery(
            with_people=who[: len(question.with_people)],
            without_people=who[len(question.with_people) :],
            media_types=[MediaType(one) for one in question.types],
            first_year=question.first_year,
            last_year=question.last_year,
            genres=question.genres,
            source_ids=source_ids,
            roll_up=not question.episodes and not parts & set(question.types),
        )
        page = await self._ms.library.find(query, after=question.cursor, limit=question.limit)
        if not page.rows:
            await self._require_genres(question.genres)
        return answers.FindAnswer(
            understood=human.understood, items=list(map(item_row, page.rows)), next=page.next
        )

    async def get_costars(self, question: questions.GetCostars) -> answers.CostarsAnswer:
        """List with whom a human worked most often."""
        human = await self._find_humans([question.person])
        if human.choose:
            return answers.CostarsAnswer(choose=human.choose)
        found = await self._ms.library.costars(
            human.ids[0], person_types=question.functions or sorted(CAST_TYPES), limit=question.limit
        )
        return answers.CostarsAnswer(
            understood=human.understood,
            costars=[
                answers.Costar(
                    person=person_row(one.person),
                    together=one.works,
                    titles=[titled(clean(title.title), title.year) for title in one.titles],
                )
                for one in found
            ],
        )

    async def top_people(self, question: questions.TopPeople) -> answers.TopAnswer:
        """List who is credited most often in a function."""
        await self._require_source(question.source)
        found = await self._ms.library.top(
            question.function,
            by=question.by,
            decade=question.decade,
            genre=question.genre,
            source_id=question.source,
            limit=question.limit,
        )
        if not found:
            await self._require_genres([question.genre] if question.genre else [])
        return answers.TopAnswer(
            people=[answers.Ranked(person=person_row(one.person), count=one.count) for one in found]
        )

    async def top_pairs(self, question: questions.TopPairs) -> answers.PairsAnswer:
        """List which two people worked together most often."""
        await self._require_source(question.source)
        found = await self._ms.library.pairs(
            question.first_function,
            question.second_function,
            decade=question.decade,
            genre=question.genre,
            source_id=question.source,
            limit=question.limit,
        )
        if not found:
            await self._require_genres([question.genre] if question.genre else [])
        return answers.PairsAnswer(
            pairs=[
                answers.Pair(first=person_row(one.first), second=person_row(one.second), together=one.works)
                for one in found
            ]
        )

    async def list_items(self, question: questions.ListItems) -> answers.ListAnswer:
        """List items, filtered and sorted."""
        page = await self._ms.library.list_items(
            await self._filter(question),
            sort=question.sort,
            descending=question.descending,
            after=question.cursor,
            limit=question.limit,
            with_total=True,
        )
        if not page.rows:
            await self._require_genres([question.genre] if question.genre else [])
        return answers.ListAnswer(items=list(map(item_row, page.rows)), total=page.total or 0, next=page.next)

    async def count_items(self, question: questions.CountItems) -> answers.CountAnswer:
        """Count items by type, year, decade, genre, library or source."""
        chosen = await self._filter(question)
        counts = await self._ms.library.count_items_by(question.by, chosen)
        if not counts:
            await self._require_genres([question.genre] if question.genre else [])
        rows = sorted(counts.items(), key=lambda one: -one[1])
        ids = question.by == "library"
        return answers.CountAnswer(
            total=await self._ms.library.count_items(chosen),
            counts=[
                answers.Count(value=shown_id(str(value)) if ids else clean(value), items=number)
                for value, number in rows[:_COUNTS]
            ],
            left_out=max(0, len(rows) - _COUNTS),
        )

    async def list_changes(self, question: questions.ListChanges) -> answers.ChangesAnswer:
        """List what changed in the mirror, in the order in which it changed."""
        await self._require_source(question.source)
        newest = await self._ms.newest_change()
        if question.after is not None and question.since is not None:
            raise UsageError("after and since exclude each other: give only one of them")
        after: int | None = max(newest - question.limit, 0)
        if question.after is not None:
            after = question.after
        elif question.since is not None:
            after = newest
            async with aclosing(self._ms.history(since=question.since)) as entries:
                async for entry in entries:
                    after = entry.change.number - 1
                    break
        try:
            found, last = await self._changes_after(after, question.source, question.limit)
        except ChangesPruned:
            if question.after is not None:
                raise
            found, last = await self._changes_after(None, question.source, question.limit)
        names = await self._names(found)
        return answers.ChangesAnswer(
            changes=[change_row(one, names) for one in found],
            next_after=max(last, after or 0),
            newest=max(newest, last),
        )

    async def list_removed(self, question: questions.ListRemoved) -> answers.RemovedAnswer:
        """List the items that their sources no longer have."""
        await self._require_source(question.source)
        first, limit = _offset(question.cursor), question.limit
        found = await self._ms.list_removed(question.source, limit=limit + 1, offset=first)
        return answers.RemovedAnswer(
            items=[
                answers.Removed(
                    id=shown_id(one.id),
                    type=one.media_type,
                    title=clean(one.title),
                    year=one.year,
                    show=clean_or_none(one.show_title),
                    season=one.season_number,
                    episode=one.episode_number,
                    source=one.source_id,
                    missing_since=time_text(one.missing_since),
                )
                for one in found[:limit]
            ],
            next=str(first + limit) if len(found) > limit else None,
        )

    async def get_status(self, _: questions.GetStatus) -> answers.StatusAnswer:
        """Say what is stored of each source and library, and when it was last synced."""
        by_library: dict[str, dict[str, int]] = {}
        for library_id, media_type, _completeness, number in await self._ms.media.count_by_library():
            counts = by_library.setdefault(library_id, {})
            counts[media_type] = counts.get(media_type, 0) + number
        sources = []
        for one in await self._ms.list_source_summaries():
            run = one.last_run
            sources.append(
                answers.SourceStatus(
                    id=one.source.id,
                    name=clean(one.source.name),
                    kind=one.source.kind,
                    items=one.items,
                    people=one.people,
                    credits=one.credits,
                    removed=one.removed,
                    last_sync=time_text(run.started_at) if run else None,
                    last_status=run.status if run else None,
                    last_error=clean_or_none(run.error, LONGEST_MESSAGE) if run else None,
                )
            )
        libraries = await self._ms.media.list_libraries()
        return answers.StatusAnswer(
            sources=sources,
            libraries=[
                answers.LibraryStatus(
                    id=shown_id(one.full_id),
                    source=one.source_id,
                    title=clean(one.title),
                    kind=one.kind,
                    items=by_library.get(one.full_id, {}),
                )
                for one in libraries[:_COUNTS]
            ],
            newest_change=await self._ms.newest_change(),
        )

    # What the tools share

    async def _find_item(self, text: str) -> _FoundItem:
        """Return the one title that a text means, or those to choose from.

        Raises:
            NotStored: if there is none.
        """
        asked = given_id(text.strip())
        matches = await look_up_items(self._ms.media, asked, limit=_CHOICE, search=self._ms.library)
        if not matches.found:
            raise NotStored(f"nothing that is stored is called {text!r}: try search with fewer words")
        first, *rest = matches.found
        if not matches.more and all(_is_same(first, one) for one in rest):
            return _FoundItem(first, [one.id or "" for one in rest])
        summaries = await self._ms.library.find_items([one.id or "" for one in matches.found])
        return _FoundItem(None, [], list(map(item_row, summaries)), more=matches.more)

    async def _credits(self, item: AnyMediaItem) -> tuple[list[answers.Credit], list[answers.Credit]]:
        """Return the cast and the crew of a title; of a show or a season, those of all its episodes."""
        if item.media_type in (MediaType.SHOW, MediaType.SEASON):
            members = await self._members(item, None, None)
            cast = [member_row(one) for one in members if CAST_TYPES & set(one.person_types)]
            crew = [member_row(one) for one in members if not CAST_TYPES & set(one.person_types)]
            return cast, crew
        return credits_by_person(item.cast), credits_by_person(item.crew)

    async def _members(
        self, item: AnyMediaItem, types: Collection[str] | None, limit: int | None
    ) -> list[CastMember]:
        library = self._ms.library
        read = library.show_cast if item.media_type == MediaType.SHOW else library.season_cast
        return await read(item.id or "", person_types=types, limit=limit)

    async def _find_humans(self, names: Sequence[str], source_ids: Sequence[str] = ()) -> _Humans:
        """Return whom each of several names means, or those to choose from.

        Raises:
            NotStored: if nobody is called so.
        """
        found: list[NamedPeople] = []
        for name in names:
            asked = given_id(name.strip())
            matches = await look_up_human(
                self._ms.people, asked, source_ids=source_ids, search=self._ms.library
            )
            if not matches.people:
                where = f" in source {', '.join(source_ids)}" if source_ids else ""
                raise NotStored(
                    f"nobody who is stored{where} is called {name!r}, so no stored title credits them: try "
                    "search with a part of the name"
                )
            found.append(matches)
        ids = [[one.id for one in matches.people if one.id] for matches in found]
        shown = await self._ms.library.find_people(sorted({one for part in ids for one in part}))
        summaries = {one.id: one for one in shown}
        choose, understood = [], []
        for name, matches, own in zip(names, found, ids, strict=True):
            people = [summaries[one] for one in own if one in summaries]
            asked = clean(name)
            if matches.is_one_human:
                rows = list(map(person_row, people[:FEW]))
                understood.append(answers.Understood(asked=asked, people=rows, similar=matches.similar))
            else:
                people.sort(key=lambda one: -one.works)
                rows = list(map(person_row, people[:_CHOICE]))
                more = matches.more or len(people) > _CHOICE
                choose.append(answers.PeopleToChooseFrom(asked=asked, people=rows, more=more))
        return _Humans(ids, understood, choose)

    async def _filter(self, question: questions.ListItems | questions.CountItems) -> ItemFilter:
        await self._require_source(question.source)
        return ItemFilter(
            source_id=question.source,
            library_id=await self._library(question.library, question.source) if question.library else None,
            media_types=question.types,
            year_from=question.first_year,
            year_to=question.last_year,
            genre=question.genre,
            min_rating=question.min_rating,
        )

    async def _library(self, text: str, source_id: str | None) -> str:
        """Return the full id of the library that an id or a title names.

        Raises:
            NotStored: if there is none, or there are several.
        """
        libraries = await self._ms.media.list_libraries(source_id)
        asked = given_id(text.strip())
        found = [one for one in libraries if asked == one.full_id] or [
            one for one in libraries if title_key(one.title) == title_key(asked)
        ]
        if len(found) == 1:
            return found[0].full_id
        listed = "; ".join(
            f"{shown_id(one.full_id)} ({clean(one.title)})" for one in (found or libraries)[:FEW]
        )
        problem = f"{len(found)} libraries are" if found else "no library is"
        raise NotStored(f"{problem} called {text!r}: name one by its id; there are: {listed or 'none'}")

    async def _require_source(self, source_id: str | None) -> None:
        if source_id is None or await self._ms.media.find_source(source_id) is not None:
            return
        known = ", ".join(one.id for one in await self._ms.media.list_sources())
        raise NotStored(f"there is no source {source_id!r}; there are: {known or 'none'}")

    async def _require_genres(self, genres: Sequence[str]) -> None:
        """Check that genres exist, for an answer that found nothing.

        Raises:
            NotStored: if one does not; the message lists the most frequent ones.
        """
        if not genres:
            return
        counts = await self._ms.library.count_items_by("genre")
        known = {str(one).casefold() for one in counts}
        for genre in genres:
            if genre.casefold() not in known:
                best = sorted(counts, key=lambda one: -counts[one])[:_GENRES]
                raise NotStored(
                    f"no stored title has the genre {genre!r}; there are: "
                    f"{', '.join(map(clean, best)) or 'none'}"
                )

    async def _changes_after(
        self, after: int | None, source_id: str | None, limit: int
    ) -> tuple[list[Change], int]:
        """Return at most *limit* changes, and the number of the last one that was looked at."""
        found: list[Change] = []
        last = after or 0
        async with aclosing(self._ms.changes(after=after, follow=False)) as changes:
            read = 0
            async for change in changes:
                read, last = read + 1, change.number
                if source_id is None or f"{change.entity_id}:".startswith(f"{source_id}:"):
                    found.append(change)
                if len(found) == limit or read == _MOST_CHANGES_READ:
                    break
        return found, last

    async def _names(self, changes: Iterable[Change]) -> Mapping[str, str]:
        """Return the names of what changed, as it is called now."""
        items = {one.entity_id for one in changes if one.entity is EntityKind.ITEM}
        people = {one.entity_id for one in changes if one.entity is EntityKind.PERSON}
        library = self._ms.library
        names = {one.id: item_row(one).name() for one in await library.find_items(sorted(items)) if items}
        names |= {one.id: clean(one.name) for one in await library.find_people(sorted(people)) if people}
        return names


@dataclass(frozen=True, slots=True)
class _FoundItem:
    """One title, with the ids of the same one in other sources and libraries; or those to choose from."""

    item: AnyMediaItem | None
    same: Sequence[str]
    choose: Sequence[answers.Item] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Humans:
    """The ids that each name means, and how it was understood; or those to choose from."""

    ids: list[list[str]]
    understood: list[answers.Understood]
    choose: list[answers.PeopleToChooseFrom]


def _with_function(text: str) -> tuple[str | None, str]:
    """Return the function and the person of ``FUNCTION=PERSON``; an id has a colon before any equals sign."""
    if parts := _WITH_FUNCTION.fullmatch(text):
        return str(PersonType.parse(parts[1])), parts[2]
    return None, text


def _is_same(first: AnyMediaItem, other: AnyMediaItem) -> bool:
    """Return whether two items are the same movie or show, by title and year."""
    return (
        first.media_type == other.media_type
        and first.media_type in (MediaType.MOVIE, MediaType.SHOW)
        and first.year == other.year
        and title_key(first.title) == title_key(other.title)
        and first.source_id != other.source_id
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise UsageError("the cursor is not one of this tool: give the `next` of the page before")
    return int(cursor)


def _part(rows: Sequence[T], first: int, limit: int) -> tuple[list[T], str | None]:
    following = str(first + limit) if len(rows) > first + limit else None
    return list(rows[first : first + limit]), following
