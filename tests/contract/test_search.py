"""One search over titles and people."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import prepared

from benchmarks.search_data import Case, cases, known_movies, known_people, stream_movies
from mediasync import Library, Match, MediaSync, SearchHit, Source
from mediasync.errors import LifecycleError, UsageError
from mediasync.library import likeness
from mediasync.summaries import ItemSummary, PersonSummary

FILES = ("real.tsv", "more.tsv", "held.tsv")
SHARE = 0.92
AMONG = 5


async def titles(ms: MediaSync, text: str, **options: object) -> list[str]:
    return [hit.summary.title for hit in (await ms.library.search(text, **options)).titles]  # type: ignore[arg-type]


async def names(ms: MediaSync, text: str, **options: object) -> list[str]:
    return [hit.summary.name for hit in (await ms.library.search(text, **options)).people]  # type: ignore[arg-type]


async def store(ms: MediaSync, some: list[Case], form: int) -> None:
    for first in range(0, 1_400, 700):
        batch = [
            one
            for number, one in enumerate(stream_movies(some, 1_000, 4_000, form=form))
            if first <= number < first + 700
        ]
        report = await ms.media.save_media_items(batch, library_id="movies", source_id="home")
        assert report.failed == []


@pytest.mark.parametrize("form", [0, -1], ids=["first form", "last form"])
async def test_what_people_type_is_among_the_first_five(ms: MediaSync, form: int) -> None:
    await prepared(ms)
    some = cases(*FILES)
    assert len(known_people(some)) > 150
    assert len(known_movies(some)) > 100
    await store(ms, some, form)
    for file in FILES:
        missed = []
        of_file = cases(file)
        for case in of_file:
            answer = await ms.library.search(case.query, limit=AMONG)
            hits: list[str] = (
                [hit.summary.name for hit in answer.people]
                if case.kind == "person"
                else [hit.summary.title for hit in answer.titles]
            )
            if not set(hits) & set(case.answers):
                missed.append((case.category, case.query, hits))
        assert len(missed) <= (1 - SHARE) * len(of_file), missed


async def stored(ms: MediaSync) -> None:
    await prepared(ms)
    ann, bob = credit("a", "Ann Lindqvist"), credit("b", "Bob Lindqvist")
    await ms.media.save_media_items(
        [
            movie("1", title="The Lantern", year=1980, credits=[ann]),
            movie("2", title="The Lantern", year=2010, credits=[ann]),
            movie("3", title="Lantern Street", year=1990, credits=[ann, bob]),
            movie("4", title="Green Lantern", year=1995, credits=[]),
            movie("5", title="Лампа", original_title="Lampa", sort_title="Oil Lamp", year=1970, credits=[]),
        ],
        **MOVIES,
    )
    await ms.media.save_media_items(
        [
            show("s", title="Harbour Lights", year=2001, credits=[]),
            season("s1", parent_remote_id="s", season_number=1),
            episode("e", parent_remote_id="s1", season_number=1, episode_number=1, title="Fog", credits=[]),
        ],
        **SHOWS,
    )


async def test_exact_titles_come_before_beginnings_and_these_before_other_words(ms: MediaSync) -> None:
    await stored(ms)
    hits = (await ms.library.search("lantern")).titles
    assert [(hit.summary.title, hit.summary.year, hit.match) for hit in hits] == [
        ("The Lantern", 2010, Match.EXACT),
        ("The Lantern", 1980, Match.EXACT),
        ("Lantern Street", 1990, Match.BEGINNING),
        ("Green Lantern", 1995, Match.WORDS),
    ]
    [first, *_] = (await ms.library.search("lantern 1980")).titles
    assert (first.id, first.match) == ("home:1", Match.EXACT)


async def test_people_with_more_credits_come_first(ms: MediaSync) -> None:
    await stored(ms)
    hits = (await ms.library.search("lind")).people
    assert [(hit.summary.name, hit.match, hit.summary.works) for hit in hits] == [
        ("Ann Lindqvist", Match.PREFIXES, 3),
        ("Bob Lindqvist", Match.PREFIXES, 1),
    ]
    assert await names(ms, "Lindqvist, Bob") == ["Bob Lindqvist"]
    [hit] = (await ms.library.search("bob lindqist")).people
    assert (hit.id, hit.match) == ("home:b", Match.SIMILAR)


async def test_episodes_are_found_by_their_titles_and_those_of_their_shows(ms: MediaSync) -> None:
    await stored(ms)
    [hit] = (await ms.library.search("fog")).titles
    assert (hit.id, hit.summary.show_title, hit.match) == ("home:e", "Harbour Lights", Match.EXACT)
    assert await titles(ms, "harbour lights fog") == ["Fog"]


async def test_original_and_sort_titles_and_other_scripts(ms: MediaSync) -> None:
    await stored(ms)
    for text in ("лампа", "lampa", "oil lamp", "lamp oil", "lamps"):
        assert (await titles(ms, text))[:1] == ["Лампа"], text


async def test_kinds_and_limits(ms: MediaSync) -> None:
    await stored(ms)
    assert await titles(ms, "lantern", limit=1) == ["The Lantern"]
    assert await titles(ms, "lantern", kinds=["show", "person"]) == []
    assert await names(ms, "lindqvist", kinds=["movie"]) == []
    assert await titles(ms, "fog", kinds=["episode"]) == ["Fog"]
    for nothing in ("", "   ", "…", "qqqqqqqq"):
        answer = await ms.library.search(nothing)
        assert (answer.titles, answer.people) == ([], []), nothing
    assert await titles(ms, "lantern", limit=0) == []
    with pytest.raises(UsageError, match="NUL"):
        await ms.library.search("a\0b")


async def test_a_removed_item_and_people_without_credits_are_not_found(ms: MediaSync) -> None:
    await stored(ms)
    without_bob = movie("3", title="Lantern Street", year=1990, credits=[credit("a", "Ann Lindqvist")])
    await ms.media.save_media_items([without_bob], **MOVIES)
    assert "Bob Lindqvist" not in await names(ms, "bob lindqvist")
    await ms.media.delete_media_item("home:4")
    assert "Green Lantern" not in await titles(ms, "lantern")


def ids(
    hits: list[SearchHit[PersonSummary]] | list[SearchHit[ItemSummary]],
) -> list[tuple[str, tuple[str, ...]]]:
    return [(hit.id, hit.other_ids) for hit in hits]


async def test_one_human_and_one_film_of_several_sources_take_one_place(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_source(Source(id="other", kind="plex", name="Other"))
    await ms.media.save_library(Library(id="films", source_id="other", title="Films", kind="movies"))
    ann = credit("a", "Ann Lindqvist")
    known = credit("k", "Eve Östlund", provider_ids={"imdb": "nm1"})
    other = credit("k2", "Eve Ostlund-Berg", provider_ids={"imdb": "nm1"})
    namesake = credit("k3", "Eve Östlund", provider_ids={"imdb": "nm2"})
    await ms.media.save_media_items(
        [movie("1", title="Tide", year=1990, credits=[ann, known]), movie("2", title="Tide", year=2000)],
        **MOVIES,
    )
    await ms.media.save_media_items(
        [movie("9", title="The Tide", year=1990, credits=[credit("x", "Ann Lindqvist"), other, namesake])],
        library_id="films",
        source_id="other",
    )
    answer = await ms.library.search("tide")
    assert sorted(ids(answer.titles)) == [("home:1", ("other:9",)), ("home:2", ())] or sorted(
        ids(answer.titles)
    ) == [("home:2", ()), ("other:9", ("home:1",))]
    [(one, others)] = ids((await ms.library.search("ann lindqvist")).people)
    assert {one, *others} == {"home:a", "other:x"}
    groups = [{one, *others} for one, others in ids((await ms.library.search("eve ostlund")).people)]
    assert {"home:k", "other:k2"} in groups
    assert {"other:k3"} in groups


async def test_the_search_finds_what_was_stored_after_another_search(ms: MediaSync) -> None:
    await stored(ms)
    assert await names(ms, "zoltan") == []
    await ms.media.save_media_items([movie("z", title="New", credits=[credit("z", "Zoltan Kiss")])], **MOVIES)
    assert await names(ms, "zoltan") == ["Zoltan Kiss"]
    assert await names(ms, "zoltn kis") == ["Zoltan Kiss"]


async def test_searches_at_once_a_cancelled_one_and_one_after_the_end(ms: MediaSync) -> None:
    await stored(ms)
    wanted = ["lantern", "ann", "lanterrn", "fog"] * 5
    alone = {text: await ms.library.search(text) for text in wanted[:4]}
    running = [asyncio.create_task(ms.library.search(text)) for text in wanted]
    await asyncio.sleep(0)
    running[0].cancel()
    answers = await asyncio.gather(*running, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [alone[text] for text in wanted[1:]]
    assert await ms.library.search("lantern") == alone["lantern"]
    await ms.close()
    with pytest.raises(LifecycleError):
        await ms.library.search("lantern")


def test_a_word_with_one_edit() -> None:
    made = likeness.one_edit("abc")
    assert {"ab", "acb", "abd", "abcd", "xabc"} <= made
    assert "abc" not in made


@given(word=st.text("abc", max_size=9), within=st.integers(0, 9))
def test_a_word_with_one_edit_near_its_beginning(word: str, within: int) -> None:
    left_out = likeness.one_edit(word) - likeness.one_edit(word, within)
    assert all(one.startswith(word[: within + 1]) for one in left_out)
