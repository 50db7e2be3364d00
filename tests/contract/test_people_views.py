"""The views for questions about people: each credit flat, filmographies by title, casts of shows."""

from __future__ import annotations

from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import rows

from mediasync import MediaSync


async def save_family(ms: MediaSync) -> None:
    """Save a show with two seasons and an episode without a season, and a film."""
    ann = credit("a", "Ann", role="Anna", order=0)
    bob = credit("b", "Bob", role="Bobby", order=1)
    family = [
        show("s", title="Dark", year=2017, credits=[ann]),
        season("s-1", parent="s", number=1),
        season("s-2", parent="s", number=2, credits=[credit("c", "Cid", kind="guest_star")]),
        episode("s-1-1", parent="s-1", season_number=1, year=2017, credits=[ann, bob]),
        episode(
            "s-1-2",
            parent="s-1",
            season_number=1,
            year=2018,
            credits=[
                credit("b", "Bob", role="Robert", order=0),
                credit("b", "Bob", role="Bobby", order=1),
                credit("b", "Bob", kind="director", order=2),
            ],
        ),
        episode(
            "s-2-1",
            parent="s-2",
            season_number=2,
            year=2020,
            credits=[credit("b", "Bob", kind="guest_star", order=3)],
        ),
        episode(
            "s-x", parent="s", season_number=0, year=2016, credits=[credit("d", "Dan", kind="guest_star")]
        ),
    ]
    report = await ms.media.save_media_items(family, **SHOWS)
    film = movie(
        "m",
        title="Heat",
        year=1995,
        credits=[
            credit("b", "Bob", kind="writer"),
            credit("b", "Bob", kind="Key Grip"),
            credit("e", "Ann", role="Other"),
        ],
    )
    report = await ms.media.save_media_items([film], report=report, **MOVIES)
    assert (report.saved, report.problems) == (len(family) + 1, [])


async def test_each_credit_has_its_title_show_and_person(ms: MediaSync) -> None:
    await save_family(ms)
    found = await rows(
        ms,
        "SELECT media_item_id, library_id, source_id, show_id, show_title, season_number, person_id, "
        "person_type, role, sort_order FROM credits_flat WHERE person_name = 'Ann' ORDER BY media_item_id",
    )
    of_show = ("home:s", "Dark")
    assert found == [
        ("home:m", "home:movies", "home", None, None, None, "home:e", "actor", "Other", 2),
        ("home:s", "home:shows", "home", *of_show, None, "home:a", "actor", "Anna", 0),
        ("home:s-1-1", "home:shows", "home", *of_show, 1, "home:a", "actor", "Anna", 0),
    ]
    assert await rows(ms, "SELECT DISTINCT show_id FROM credits_flat WHERE media_item_id <> 'home:m'") == [
        ("home:s",)
    ]
    [(flat,)] = await rows(ms, "SELECT count(*) AS n FROM credits_flat")
    assert [(flat,)] == await rows(ms, "SELECT count(*) AS n FROM media_people")


async def test_a_filmography_folds_episodes_into_their_show(ms: MediaSync) -> None:
    await save_family(ms)
    columns = "title_id, title, media_type, year, functions, role, episodes, first_year, last_year"
    query = f"SELECT {columns} FROM filmographies WHERE person_name = :name ORDER BY first_year, title_id"
    assert await rows(ms, query, name="Bob") == [
        ("home:m", "Heat", "movie", 1995, "writer, Key Grip", None, 0, 1995, 1995),
        ("home:s", "Dark", "show", 2017, "actor, guest_star, director", "Robert", 3, 2017, 2020),
    ]
    assert await rows(ms, query, name="Ann") == [
        ("home:m", "Heat", "movie", 1995, "actor", "Other", 0, 1995, 1995),
        ("home:s", "Dark", "show", 2017, "actor", "Anna", 1, 2017, 2017),
    ]
    assert await rows(ms, query, name="Dan") == [
        ("home:s", "Dark", "show", 2017, "guest_star", None, 1, 2016, 2016),
    ]


async def test_the_cast_of_a_show_counts_episodes(ms: MediaSync) -> None:
    await save_family(ms)
    columns = "person_name, person_type, role, episodes, first_season, last_season, sort_order"
    assert await rows(
        ms, f"SELECT {columns} FROM show_cast WHERE show_title = 'Dark' ORDER BY person_id"
    ) == [
        ("Ann", "actor", "Anna", 1, 1, 1, 0),
        ("Bob", "actor", "Robert", 3, 1, 2, None),
        ("Cid", "guest_star", None, 0, 2, 2, None),
        ("Dan", "guest_star", None, 1, 0, 0, None),
    ]
    assert await rows(ms, "SELECT show_id, person_id FROM show_cast WHERE person_name = 'Dan'") == [
        ("home:s", "home:d")
    ]


async def test_removed_items_are_not_in_these_views(ms: MediaSync) -> None:
    await save_family(ms)
    await ms.media.delete_media_item("home:m")
    await ms.media.delete_media_item("home:s-1-2")
    assert await rows(ms, "SELECT title_id, episodes FROM filmographies WHERE person_name = 'Bob'") == [
        ("home:s", 2)
    ]
    assert await rows(ms, "SELECT role, episodes FROM show_cast WHERE person_name = 'Bob'") == [("Bobby", 2)]
    assert await rows(ms, "SELECT title FROM credits_flat WHERE title = 'Heat'") == []
