"""The doctor: each check finds what is wrong, and is silent about what only looks like it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from support.items import cast, credit, episode, movie, season, show
from support.mirror import START, write

from mediasync import CastFinding, Library, MediaSync, Severity, Source
from mediasync.backends.base import Found, Unreadable
from mediasync.errors import UnknownSource, UsageError
from mediasync.library.doctor_checks import CHECKS
from mediasync.testing import FakeBackend

ANN, BO, CY = credit("a", "Ann Lee"), credit("b", "Bo Day"), credit("c", "Cy Orr", kind="director")
PEOPLE = [ANN, BO, CY]
THIS_YEAR = datetime.fromtimestamp(START / 1000, UTC).year


@dataclass
class Place:
    """A source in a mirror, with the libraries ``movies`` and ``shows``."""

    ms: MediaSync
    source_id: str
    kind: str = "jellyfin"

    @property
    def source(self) -> Source:
        return Source(id=self.source_id, kind=self.kind)

    async def opened(self) -> Place:
        await self.ms.media.save_source(self.source)
        for library in ("movies", "shows"):
            await self.ms.media.save_library(Library(id=library, source_id=self.source_id, kind=library))
        return self

    async def beside(self, kind: str = "jellyfin") -> Place:
        """Return a second source."""
        return await Place(self.ms, f"{self.source_id}-2", kind).opened()

    async def save(self, *items: Any, library: str = "movies") -> None:
        report = await self.ms.media.save_media_items(items, library_id=library, source_id=self.source_id)
        assert not report.failed, report.failed

    async def movies_of(self, *names: str) -> None:
        """Save a movie with actors of these names."""
        await self.save(movie("m", credits=[credit(f"p{n}", name) for n, name in enumerate(names)]))


Builder = Callable[[Place], Awaitable[None]]


def actors(count: int, first: int = 0) -> list[Any]:
    return cast(*(str(n) for n in range(first, first + count)))


def ordinary(count: int, **fields: Any) -> list[Any]:
    """Return movies as most are: with a cast and a crew."""
    return [movie(f"ordinary{n}", title=f"Ordinary {n}", credits=PEOPLE, **fields) for n in range(count)]


def serial(count: int, credits_of: Callable[[int], list[Any]], key: str = "s", **fields: Any) -> list[Any]:
    """Return a show with a season of episodes."""
    return [
        show(key, credits=[], **fields),
        season(f"{key}-season", parent=key, credits=[]),
        *(
            episode(f"{key}-{n}", parent=f"{key}-season", number=n, title=f"Part {n}", credits=credits_of(n))
            for n in range(count)
        ),
    ]


# What is wrong: for each check one source, in which it finds exactly one case.


async def unread(place: Place) -> None:
    backend = FakeBackend(
        {"movies": [Found(movie("1", credits=PEOPLE)), Unreadable("torn.nfo", "not XML")]},
        source=place.source,
    )
    await place.ms.sync(backend)


async def read_in_part(place: Place) -> None:
    found = Found(movie("1", credits=PEOPLE), problems=("line 5: an actor without a name is left out",))
    await place.ms.sync(FakeBackend({"movies": [found]}, source=place.source))


async def previews(place: Place) -> None:
    await place.save(*(movie(f"{n}", credits=PEOPLE, completeness="preview") for n in range(3)))
    await place.save(movie("full", credits=PEOPLE))


async def no_credits(place: Place) -> None:
    await place.save(movie("1", credits=[]), movie("2", credits=PEOPLE))


async def no_cast(place: Place) -> None:
    await place.save(*ordinary(10), movie("1", credits=[CY]))


async def no_crew(place: Place) -> None:
    await place.save(*ordinary(10), movie("1", credits=[ANN]))


async def episodes_without_credits(place: Place) -> None:
    await place.save(*serial(10, lambda n: PEOPLE if n else []), library="shows")


async def cast_cap(place: Place) -> None:
    await place.save(*(movie(f"cut{n}", credits=actors(15)) for n in range(20)))
    await place.save(*(movie(f"{n}", credits=actors(n)) for n in range(1, 15)))


async def no_show(place: Place) -> None:
    await place.save(episode("lost", parent=None, credits=PEOPLE), library="shows")


async def impossible_year(place: Place) -> None:
    await place.save(movie("1", year=1800, credits=PEOPLE))


async def duplicates(place: Place) -> None:
    await place.save(*(movie(f"{n}", provider_ids={"tmdb": "77"}, credits=PEOPLE) for n in range(2)))


async def duplicates_by_title(place: Place) -> None:
    await place.save(*(movie(f"{n}", title="Twin", year=1990, credits=PEOPLE) for n in range(2)))


async def name_list(place: Place) -> None:
    await place.movies_of("Al Pacino, Val Kilmer")


async def name_markup(place: Place) -> None:
    await place.movies_of("<b>Bold</b>")


async def name_placeholder(place: Place) -> None:
    await place.movies_of("N/A")


async def spellings(place: Place) -> None:
    await place.movies_of("Renée Zellweger", "Renee Zellweger")


async def spellings_by_marks(place: Place) -> None:
    await place.movies_of("Robert De Niro", "ROBERT DENIRO")


async def similar_names(place: Place) -> None:
    walter = [credit("1", "Bryan Cranston", role="Walter"), credit("2", "Brian Cranston", role="Walter")]
    await place.save(*serial(4, lambda n: [walter[n // 3]]), library="shows")


async def same_name(place: Place) -> None:
    await place.save(
        movie("1", credits=[credit("1", "Ida Lupino"), credit("2", "Ida Lupino", kind="director")])
    )


async def shared_id(place: Place) -> None:
    one = {"tmdb": "5"}
    await place.save(movie("1", credits=[credit("1", "Cat Stevens", provider_ids=one)]))
    await place.save(movie("2", credits=[credit("2", "Yusuf Islam", provider_ids=one)]))


async def id_of_two(place: Place) -> None:
    for one, name in ((place, "Tom Hanks"), (await place.beside(), "Keanu Reeves")):
        await one.save(movie("1", credits=[credit("1", name, provider_ids={"imdb": "nm1"})]))


async def career(place: Place) -> None:
    await place.save(movie("1", year=1920, credits=[ANN]), movie("2", year=2015, credits=[ANN]))


async def no_picture(place: Place) -> None:
    seen = credit("1", "Seen Often")
    others = [credit(f"o{n}", f"Other {n}", image_path="/picture") for n in range(3)]
    await place.save(*(movie(f"{n}", credits=[seen, *others]) for n in range(10)))


async def years_differ(place: Place) -> None:
    for one, year in ((place, 1990), (await place.beside(), 1999)):
        await one.save(movie("1", year=year, provider_ids={"imdb": "tt90"}, credits=PEOPLE))


async def titles_differ(place: Place) -> None:
    for one, title in ((place, "Heat"), (await place.beside(), "Bambi and Friends")):
        same = [movie(f"t{n}", provider_ids={"imdb": f"tt91{n}"}, credits=PEOPLE) for n in range(19)]
        cast_of_one = [credit("x", f"Only in {title}"), credit("y", f"Wrote {title}", kind="writer")]
        await one.save(*same, movie("1", title=title, provider_ids={"imdb": "tt91"}, credits=cast_of_one))


async def casts_differ(place: Place) -> None:
    first, second = ("Tom Hanks", "Meg Ryan", "Bill Pullman"), ("Keanu Reeves", "Carrie Moss", "Hugo Weaving")
    for one, names in ((place, first), (await place.beside(), second)):
        people = [credit(f"p{n}", name) for n, name in enumerate(names)]
        await one.save(movie("1", provider_ids={"imdb": "tt92"}, credits=people))


async def directors_differ(place: Place) -> None:
    for one, name in ((place, "Nora Ephron"), (await place.beside(), "Michael Mann")):
        await one.save(
            movie("1", provider_ids={"imdb": "tt93"}, credits=[ANN, credit("d", name, kind="director")])
        )


WRONG: dict[str, list[Builder]] = {
    "unread": [unread],
    "read-in-part": [read_in_part],
    "previews": [previews],
    "no-credits": [no_credits],
    "no-cast": [no_cast],
    "no-crew": [no_crew],
    "episodes-without-credits": [episodes_without_credits],
    "cast-cap": [cast_cap],
    "no-show": [no_show],
    "impossible-year": [impossible_year],
    "duplicates": [duplicates, duplicates_by_title],
    "name-list": [name_list],
    "name-markup": [name_markup],
    "name-placeholder": [name_placeholder],
    "spellings": [spellings, spellings_by_marks],
    "similar-names": [similar_names],
    "same-name": [same_name],
    "shared-id": [shared_id],
    "id-of-two": [id_of_two],
    "career": [career],
    "no-picture": [no_picture],
    "years-differ": [years_differ],
    "titles-differ": [titles_differ],
    "casts-differ": [casts_differ],
    "directors-differ": [directors_differ],
}


# What only looks wrong.


async def read_well(place: Place) -> None:
    torn = FakeBackend({"movies": [Unreadable("torn.nfo", "not XML")]}, source=place.source)
    await place.ms.sync(torn)
    await place.ms.sync(FakeBackend({"movies": [Found(movie("1", credits=PEOPLE))]}, source=place.source))


async def one_preview(place: Place) -> None:
    await place.save(movie("1", credits=PEOPLE, completeness="preview"), movie("2", credits=PEOPLE))


async def show_whose_episodes_have_the_cast(place: Place) -> None:
    await place.save(*serial(2, lambda n: PEOPLE), library="shows")


async def films_without_actors(place: Place) -> None:
    await place.save(
        *ordinary(20),
        movie("silent", title="A Trip to the Moon", year=1902, runtime_seconds=840, credits=[CY]),
        movie("nature", title="Koyaanisqatsi", genres=["Documentary"], credits=[CY]),
        movie("concert", genres=["Konzertfilm"], credits=[CY]),
    )


async def library_of_cartoons(place: Place) -> None:
    await place.save(*(movie(f"{n}", title=f"Cartoon {n}", credits=[CY]) for n in range(12)))
    voices = [*cast("1", "2"), CY]
    beside = await place.beside()
    await beside.save(*(movie(f"{n}", title=f"Voiced {n}", credits=voices) for n in range(25)))


async def library_without_crews(place: Place) -> None:
    await place.save(*(movie(f"{n}", title=f"Silent {n}", credits=[ANN]) for n in range(12)))


async def show_with_a_cast_and_bare_episodes(place: Place) -> None:
    await place.save(show("t", credits=PEOPLE), library="shows")
    bare = [episode(f"t-{n}", parent="t", number=n, credits=[]) for n in range(12)]
    await place.save(*bare, library="shows")


async def casts_of_all_lengths(place: Place) -> None:
    random = Random(7)
    draws = (
        lambda n: 1 + n % 12,
        lambda n: round(random.gauss(12, 4)),
        lambda n: round(random.expovariate(1 / 8)),
        lambda n: random.choice((6, 7, 8)),
    )
    for library, draw in zip("abcd", draws, strict=True):
        await place.ms.media.save_library(Library(id=library, source_id=place.source_id, kind="movies"))
        casts = [actors(min(max(draw(n), 1), 40)) for n in range(120)]
        films = [movie(f"{library}{n}", credits=[*cast, CY]) for n, cast in enumerate(casts)]
        await place.save(*films, library=library)


async def sitcom_with_six_friends(place: Place) -> None:
    await place.save(*serial(30, lambda n: actors(6)), library="shows")


async def few_films_of_one_length(place: Place) -> None:
    await place.save(*(movie(f"{n}", credits=[*actors(10), CY]) for n in range(12)))


async def old_and_announced(place: Place) -> None:
    await place.save(
        movie("1", title="Roundhay Garden Scene", year=1888, credits=[ANN]),
        movie("2", title="Announced", year=THIS_YEAR + 3, credits=[BO, CY]),
    )


async def remakes_and_namesakes(place: Place) -> None:
    await place.save(
        movie("1", title="Pinocchio", year=2022, provider_ids={"tmdb": "1"}, credits=PEOPLE),
        movie("2", title="Pinocchio", year=2022, provider_ids={"tmdb": "2"}, credits=PEOPLE),
        movie("3", title="Hunger", year=2008, credits=[ANN, CY]),
        movie("4", title="Hunger", year=2008, credits=[BO, credit("e", "Eve Dix", kind="director")]),
        movie("5", title="The Parent Trap", year=1961, credits=PEOPLE),
        movie("6", title="The Parent Trap", year=1998, credits=PEOPLE),
        movie("7", title="Part One", provider_ids={"tmdbcollection": "9"}, credits=PEOPLE),
        movie("8", title="Part Two", provider_ids={"tmdbcollection": "9"}, credits=PEOPLE),
    )


async def odd_names(place: Place) -> None:
    await place.movies_of(
        *("Robert Downey, Jr.", "Earl, Grey & Co", "Simon & Garfunkel", "AC/DC", "Tyler, the Creator"),
        *(
            "Crosby, Stills, Nash & Young",
            "Earth, Wind & Fire",
            "William S. Preston, Esq.",
            "Peter, Paul and Mary",
        ),
        *(
            "Warner Bros. Pictures, Inc.",
            "will.i.am",
            "Unknown Hinson",
            "Various Cruelties",
            "Null Void",
            "O",
            "Na",
        ),
        *("Prince Harry, Duke of Sussex", "Jane Doe, Ph.D., M.D.", "Al Bo, Master of Arts"),
        *("AT&T Players", "Nick Cave & The Bad Seeds", "3 < 4", "Pacino, Al"),
    )


async def other_names(place: Place) -> None:
    await place.movies_of(
        "Dean James", "James Dean", "John A Smith", "John B Smith", "Al Pacino", "Al Pacini"
    )


async def two_people_of_almost_one_name(place: Place) -> None:
    first, second, third, fourth = ({"imdb": f"nm{n}"} for n in range(4))
    await place.save(
        movie("1", credits=[credit("1", "José Garcia", provider_ids=first)]),
        movie("2", credits=[credit("2", "Jose Garcia", provider_ids=second)]),
        movie("3", credits=[credit("3", "Steve McQueen"), CY]),
        movie("4", credits=[ANN, credit("4", "Steve McQueen", kind="director")]),
        movie(
            "5",
            credits=[
                credit("5", "Max Wall", provider_ids=third),
                credit("6", "Max Wall", provider_ids=fourth),
            ],
        ),
    )


async def people_whom_the_source_tells_apart(place: Place) -> None:
    plex = await place.beside("plex")
    await plex.save(
        movie("1", credits=[credit("1", "Mario Diaz"), CY]),
        movie("2", credits=[credit("2", "Mario Díaz"), CY]),
    )


async def titles_of_two_languages(place: Place) -> None:
    for one, title in ((place, "Neumatt"), (await place.beside(), "New Heights")):
        same = [movie(f"t{n}", provider_ids={"imdb": f"tt5{n}"}, credits=PEOPLE) for n in range(25)]
        await one.save(*same, movie("1", title=title, provider_ids={"imdb": "tt5"}, credits=PEOPLE))


async def twins_and_recast_parts(place: Place) -> None:
    twins = [credit("1", "Ashley Olsen", role="Michelle"), credit("2", "Mary-Kate Olsen", role="Michelle")]
    darrin = [credit("3", "Dick York", role="Darrin"), credit("4", "Dick Sargent", role="Darrin")]
    await place.save(*serial(4, lambda n: [twins[n % 2], darrin[n // 2], CY]), library="shows")


async def one_person_of_several_names(place: Place) -> None:
    names = ["Elliot Page", "三船敏郎", "Zoë Kravitz"]
    others = ["Ellen Page", "Toshiro Mifune", "Zoe Kravitz"]
    for one, listed in ((place, names), (await place.beside(), others)):
        people = [credit(f"{n}", name, provider_ids={"tmdb": f"3{n}"}) for n, name in enumerate(listed)]
        await one.save(movie("1", credits=people))


async def long_lives(place: Place) -> None:
    old, author = credit("o", "Born Nineteen Hundred"), credit("w", "William Shakespeare", kind="writer")
    archived = credit("z", "Charlie Chaplin", role="Self (archive footage)")
    await place.save(
        movie("1", title="Early", year=1920, credits=[old, author, CY, credit("z", "Charlie Chaplin")]),
        movie("2", title="Middle", year=1995, credits=[old, author]),
        movie("3", title="Late", year=2020, credits=[author, archived, ANN]),
    )


async def source_without_pictures(place: Place) -> None:
    await place.save(*ordinary(12))


async def two_sources_that_agree(place: Place) -> None:
    beside = await place.beside()
    known = [{"imdb": f"tt8{n}"} for n in range(4)]
    lana = credit("d", "Lana Wachowski", kind="director")
    await place.save(
        movie("1", title="Heat", year=1995, provider_ids=known[0], credits=[*actors(4), lana]),
        movie(
            "2",
            title="七人の侍",
            year=1954,
            provider_ids=known[1],
            credits=[credit(f"j{n}", f"三船{n}") for n in "一二三"],
        ),
        movie("3", title="Star Wars", year=1977, provider_ids=known[2], credits=[ANN, CY]),
    )
    larry = credit("d", "Larry Wachowski", kind="director")
    await beside.save(
        movie(
            "1",
            title="Heat - Director's Cut",
            year=1996,
            provider_ids=known[0],
            credits=[*actors(1), *PEOPLE[:2], larry],
        ),
        movie(
            "2",
            title="Seven Samurai",
            year=1954,
            provider_ids=known[1],
            credits=[credit(f"j{n}", f"Toshiro {n}") for n in range(3)],
        ),
        movie("3", title="Krieg der Sterne", year=1977, provider_ids=known[2], credits=[ANN, CY]),
    )


async def sources_in_two_languages(place: Place) -> None:
    for one, word in ((place, "Night of"), (await place.beside(), "Zwischenfall bei")):
        await one.save(
            *(
                movie(f"{n}", title=f"{word} {n}", provider_ids={"imdb": f"tt6{n}"}, credits=PEOPLE)
                for n in range(25)
            )
        )


RIGHT: dict[str, list[Builder]] = {
    "unread": [read_well],
    "read-in-part": [read_well],
    "previews": [one_preview],
    "no-credits": [show_whose_episodes_have_the_cast],
    "no-cast": [films_without_actors, library_of_cartoons],
    "no-crew": [library_without_crews],
    "episodes-without-credits": [show_with_a_cast_and_bare_episodes],
    "cast-cap": [casts_of_all_lengths, sitcom_with_six_friends, few_films_of_one_length],
    "no-show": [show_with_a_cast_and_bare_episodes],
    "impossible-year": [old_and_announced],
    "duplicates": [remakes_and_namesakes],
    "name-list": [odd_names],
    "name-markup": [odd_names],
    "name-placeholder": [odd_names],
    "spellings": [other_names, two_people_of_almost_one_name, people_whom_the_source_tells_apart],
    "similar-names": [twins_and_recast_parts],
    "same-name": [two_people_of_almost_one_name],
    "shared-id": [one_person_of_several_names],
    "id-of-two": [one_person_of_several_names],
    "career": [long_lives],
    "no-picture": [source_without_pictures],
    "years-differ": [two_sources_that_agree],
    "titles-differ": [two_sources_that_agree, sources_in_two_languages, titles_of_two_languages],
    "casts-differ": [two_sources_that_agree],
    "directors-differ": [two_sources_that_agree],
}


async def built(ms: MediaSync, builders: Collection[Builder]) -> None:
    """Let each builder fill a source of its name."""
    for build in builders:
        await build(await Place(ms, build.__name__.replace("_", "-")).opened())


def all_of(table: dict[str, list[Builder]]) -> list[Builder]:
    return list(dict.fromkeys(build for builders in table.values() for build in builders))


def told(findings: Collection[CastFinding]) -> str:
    return "\n".join(
        f"{one.check} {one.source_id}: {[each.text for each in one.examples]}" for one in findings
    )


def test_every_check_has_a_case_that_is_wrong_and_one_that_only_looks_so() -> None:
    names = [check.name for check in CHECKS]
    assert list(WRONG) == names
    assert list(RIGHT) == names


async def test_each_check_finds_what_is_wrong_and_no_other_finds_it(ms: MediaSync) -> None:
    await built(ms, all_of(WRONG))
    report = await ms.library.doctor()
    found = {(one.source_id.removesuffix("-2"), one.check): one for one in report.findings}
    expected = {
        (build.__name__.replace("_", "-"), check) for check, builds in WRONG.items() for build in builds
    }
    assert set(found) == expected, told(report.findings)
    assert {one.count for one in report.findings} == {1}, told(report.findings)
    assert all(one.examples[0].id and one.examples[0].text and one.advice for one in report.findings)
    assert report.worst is Severity.ERROR


async def test_nothing_is_found_in_what_only_looks_wrong(ms: MediaSync) -> None:
    await built(ms, all_of(RIGHT))
    report = await ms.library.doctor()
    assert not report.findings, told(report.findings)
    assert report.worst is None
    assert report.checks == tuple(check.name for check in CHECKS)


async def test_removed_items_and_their_people_are_left_out(ms: MediaSync) -> None:
    await built(ms, [build for build in all_of(WRONG) if build not in (unread, read_in_part)])
    await write(ms, "UPDATE media_item SET missing_since = 1, missing_run = 1")
    await write(ms, "UPDATE person SET uncredited_since = 1")
    assert not (await ms.library.doctor()).findings


async def test_the_longest_casts_are_counted_with_the_length_at_which_they_pile_up(ms: MediaSync) -> None:
    await built(ms, [cast_cap])
    [finding] = (await ms.library.doctor(checks=["cast-cap"])).findings
    assert (finding.check, finding.severity, finding.source_id) == ("cast-cap", Severity.WARNING, "cast-cap")
    [example] = finding.examples
    assert example.id == "cast-cap:movies"
    assert example.facts == {"media_type": "movie", "actors": 15, "items": 20, "of_all": 34, "longer": 0}


async def test_all_cases_are_counted_and_some_are_named(ms: MediaSync) -> None:
    place = await Place(ms, "home").opened()
    await place.save(*(movie(f"{n}", credits=[]) for n in range(7)))
    names = [f"Al Pacino {n}, Val Kilmer {n}" for n in range(7)]
    await place.save(movie("cast", credits=[credit(f"p{n}", name) for n, name in enumerate(names)]))
    report = await ms.library.doctor(checks=["no-credits", "name-list"], examples=3)
    assert [(one.check, one.count, len(one.examples)) for one in report.findings] == [
        ("no-credits", 7, 3),
        ("name-list", 7, 3),
    ]
    assert report.as_dict()["findings"][0]["examples"][0] == {
        "id": "home:0",
        "text": "Movie 0",
        "facts": {"item": "Movie 0", "library_id": "home:movies"},
    }


async def test_one_source_can_be_examined_and_checks_can_be_left_out(ms: MediaSync) -> None:
    await built(ms, [no_credits, years_differ, career])
    of_source = await ms.library.doctor(source_id="career")
    assert [(one.check, one.source_id) for one in of_source.findings] == [("career", "career")]
    for source_id in ("years-differ", "years-differ-2"):
        report = await ms.library.doctor(source_id=source_id)
        assert [one.check for one in report.findings] == ["years-differ"]
    left = await ms.library.doctor(skip=["career", "no-credits"])
    assert [one.check for one in left.findings] == ["years-differ"]
    assert "career" not in left.checks


async def test_findings_come_one_after_another(ms: MediaSync) -> None:
    await built(ms, [no_credits, career])
    found = [finding.check async for finding in ms.library.iter_findings(examples=1)]
    assert found == ["no-credits", "career"]


async def test_what_cannot_be_examined_is_refused(ms: MediaSync) -> None:
    with pytest.raises(UsageError, match="there is no check 'sanity'; there are: unread, "):
        await ms.library.doctor(checks=["sanity"])
    with pytest.raises(UsageError, match="there is no check 'sanity'"):
        await ms.library.doctor(skip=["sanity"])
    with pytest.raises(UsageError, match="examples is 0"):
        await ms.library.doctor(examples=0)
    with pytest.raises(UnknownSource, match="there is no source 'nowhere'"):
        await ms.library.doctor(source_id="nowhere")
