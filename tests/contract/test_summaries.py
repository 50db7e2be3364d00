"""Short answers about items and people."""

from __future__ import annotations

from support.items import credit, episode, movie, person, season, show
from support.mirror import prepared

from mediasync import MediaSync, Rating

HOME = {"library_id": "movies", "source_id": "home"}


def rating(value: float, votes: int) -> Rating:
    return Rating(name="imdb", value=value, votes=votes)


async def stored(ms: MediaSync) -> None:
    await prepared(ms)
    ann = credit("a", "Ann Lee")
    await ms.media.save_media_items(
        [
            movie("1", title="Early", year=1980, credits=[ann], ratings=[rating(6.5, 10)]),
            movie(
                "2",
                title="Loved",
                year=1990,
                credits=[credit("b", "Bo"), ann],
                ratings=[rating(8.0, 900), Rating(name="x", value=1.0)],
            ),
            show("s", title="Serial", year=2001, credits=[]),
            season("s1", parent_remote_id="s", season_number=1),
            *(
                episode(
                    f"e{n}",
                    parent_remote_id="s1",
                    season_number=1,
                    episode_number=n,
                    year=2000 + n,
                    title=f"Part {n}",
                    credits=[ann],
                )
                for n in (1, 2, 3)
            ),
        ],
        **HOME,
    )


async def test_items_come_in_the_order_asked_for_without_those_not_stored(ms: MediaSync) -> None:
    await stored(ms)
    found = await ms.library.find_items(["home:e2", "home:nowhere", "home:2", "home:e2"])
    assert [item.id for item in found] == ["home:e2", "home:2"]
    part, loved = found
    assert (part.show_id, part.show_title, part.parent_id) == ("home:s", "Serial", "home:s1")
    assert (part.season_number, part.episode_number) == (1, 2)
    assert (loved.title, loved.year, loved.rating, loved.show_id) == ("Loved", 1990, 8.0, None)
    assert (loved.source_id, loved.library_id, loved.completeness) == ("home", "home:movies", "full")
    assert loved.created_at is not None


async def test_a_person_is_told_by_years_and_the_title_with_most_votes(ms: MediaSync) -> None:
    await stored(ms)
    [bo, ann] = await ms.library.find_people(["home:b", "home:a", "home:nobody"])
    assert (ann.name, ann.works, ann.first_year, ann.last_year) == ("Ann Lee", 3, 1980, 2003)
    assert (ann.known_for, ann.known_for_year) == ("Loved", 1990)
    assert (bo.works, bo.known_for) == (1, "Loved")


async def test_without_votes_a_person_is_known_for_the_best_billing(ms: MediaSync) -> None:
    await prepared(ms)
    ann = credit("a", "Ann Lee")
    await ms.media.save_media_items(
        [
            movie("1", title="Behind", year=1980, credits=[credit("b", "Bo"), ann]),
            movie("2", title="Ahead", year=1990, credits=[ann, credit("b", "Bo")]),
        ],
        **HOME,
    )
    assert [one.known_for for one in await ms.library.find_people(["home:a", "home:b"])] == [
        "Ahead",
        "Behind",
    ]


async def test_people_without_credits_have_no_works(ms: MediaSync) -> None:
    await stored(ms)
    await ms.media.upsert_people([person("c", "Cy")], source_id="home")
    cy, ann = await ms.library.find_people(["home:c", "home:a"])
    assert (cy.name, cy.works, cy.first_year, cy.known_for) == ("Cy", 0, None, None)
    assert ann.works == 3


async def test_removed_items_count_for_nobody(ms: MediaSync) -> None:
    await stored(ms)
    await ms.media.delete_media_item("home:2")
    [ann] = await ms.library.find_people(["home:a", "home:b"])
    assert (ann.works, ann.known_for) == (2, "Early")
