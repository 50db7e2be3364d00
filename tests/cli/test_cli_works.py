"""The commands find, costars, top and pairs, and filmographies as `person` shows them."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest
from cli_runs import Run
from support.items import credit, episode, movie, season, show

from mediasync import Library, MediaItem, MediaSync, Source


def fill(database: Path, source_id: str, *items: MediaItem) -> None:
    """Save items under a source."""

    async def save() -> None:
        async with MediaSync(f"sqlite:///{database}") as ms:
            await ms.media.save_source(Source(id=source_id, kind="jellyfin"))
            await ms.media.save_library(Library(id="all", source_id=source_id, kind="mixed"))
            report = await ms.media.save_media_items(items, library_id="all", source_id=source_id)
            assert not report.failed

    asyncio.run(save())


@pytest.fixture
def database(home: Path, tmp_path: Path) -> Path:
    al, bob = credit("al", "Al Pacino"), credit("bob", "Robert De Niro")
    mann, coppola = (
        credit("mann", "Michael Mann", kind="director"),
        credit("ford", "Francis Coppola", kind="director"),
    )
    file = tmp_path / "works.db"
    fill(
        file,
        "home",
        movie("1", title="The Godfather", year=1974, genres=["Crime"], credits=[al, bob, coppola]),
        movie("2", title="Heat", year=1995, genres=["Crime"], credits=[al, bob, mann]),
        movie("3", title="The Insider", year=1999, credits=[al, mann]),
        show("s", title="Angels", year=2003, credits=[al]),
        season("s-1", "s"),
        episode("s-1-1", "s-1", 1, season_number=1, year=2003, title="Bad", credits=[bob, al]),
        episode("s-1-2", "s-1", 2, season_number=1, year=2004, title="Good", credits=[credit("x", "Al Ono")]),
    )
    return file


def test_find(run: Run, database: Path) -> None:
    def lines(*arguments: str) -> list[str]:
        ended = run("find", *arguments, "--database", database)
        assert ended.code == 0, ended
        return [" ".join(line.split()) for line in ended.out.splitlines()]

    both = ("--with", "al pacino", "--with", "DE NIRO")
    assert lines(*both) == [
        "1974 The Godfather home:1",
        "1995 Heat home:2",
        "2003 Angels (show) home:s",
    ]
    assert lines(*both, "--not-directed-by", "mann", "--type", "movie") == ["1974 The Godfather home:1"]
    assert lines(*both, "--episodes", "--year", "2000..") == ["2003 Angels S01E01: Bad home:s-1-1"]
    assert lines(*both, "--type", "episode") == ["2003 Angels S01E01: Bad home:s-1-1"]
    assert lines("--directed-by", "michael mann", "--without", "home:bob") == ["1999 The Insider home:3"]
    assert lines("--credited", "director=mann", "--year", "..1995", "--genre", "crime") == [
        "1995 Heat home:2"
    ]
    assert lines("--with", "pacino", "--year", "1999", "--source", "home") == ["1999 The Insider home:3"]
    assert lines("--written-by", "mann") == ["Nothing is found."]
    assert lines("--with", "pacino", "--not-written-by", "mann", "--year", "1970..1980") == [
        "1974 The Godfather home:1"
    ]
    assert lines("--with", "pacino", "--limit", "1") == [
        "1974 The Godfather home:1",
        "others are left out: --all shows them",
    ]
    assert len(lines("--with", "pacino", "--all")) == 4


def test_find_for_programs(run: Run, database: Path) -> None:
    document = run("find", "--with", "pacino", "--limit", "2", "--json", "--database", database).json
    assert [item["id"] for item in document["items"]] == ["home:1", "home:2"]
    assert document["more"] is True
    assert document["query"]["with_people"] == [{"person_ids": ["home:al"], "person_types": []}]
    text = run("find", "--with", "pacino", "--csv", "--database", database).out
    first, *others = csv.DictReader(io.StringIO(text))
    assert (first["id"], first["title"], first["year"], first["rating"]) == (
        "home:1", "The Godfather", "1974", "",
    )  # fmt: skip
    assert len(others) == 3


def test_a_name_of_several_people_is_an_error_that_lists_them(run: Run, database: Path) -> None:
    ended = run("find", "--with", "al", "--database", database)
    assert ended.code == 2
    assert "'al' fits 2 people; name one by the id: home:al (Al Pacino: 4 works, 1974-2003, " in ended.err
    assert "The Godfather (1974)); home:x (Al Ono: 1 work, 2004, Angels (2003))" in ended.err
    fill(database, "home", movie("9", title="Other", credits=[credit("al2", "Al Pacino")]))
    ended = run("costars", "al pacino", "--database", database)
    assert ended.code == 2
    assert "home:al2 (Al Pacino: 1 work" in ended.err


def test_one_name_in_two_sources_is_one_human(run: Run, database: Path) -> None:
    fill(database, "other", movie("5", title="Serpico", year=1973, credits=[credit("7", "Al Pacino")]))
    document = run("find", "--with", "al pacino", "--json", "--database", database).json
    assert document["query"]["with_people"][0]["person_ids"] == ["home:al", "other:7"]
    assert document["items"][0]["id"] == "other:5"
    document = run("find", "--with", "al pacino", "--source", "other", "--json", "--database", database).json
    assert [item["id"] for item in document["items"]] == ["other:5"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["find"], 2, "name at least one person: --with NAME"),
        (["find", "--with", "nobody"], 1, "no stored person is called 'nobody'"),
        (["find", "--with", "pacino", "--source", "x"], 1, "there is no source 'x'; there are: home"),
        (["find", "--with", "pacino", "--year", "1999..1990"], 2, "ends before it begins"),
        (["find", "--with", "pacino", "--year", "19991998"], 2, "is not a year or a range"),
        (["find", "--with", "pacino", "--year", ".."], 2, "is not a year or a range"),
        (["find", "--credited", "pacino"], 2, "'pacino' is not TYPE=NAME"),
        (["find", "--with", "pacino", "--json", "--csv"], 2, "--json and --csv exclude each other"),
        (["costars", "pacino", "--source", "x"], 1, "there is no source 'x'"),
        (["top", "actr"], 1, "nobody is credited as 'actr' there; the known functions are actor, "),
        (["top", "composer"], 1, "nobody is credited as 'composer' there"),
        (["top", "actor", "--source", "x"], 1, "there is no source 'x'"),
        (["top", "actor", "--decade", "1995"], 2, "a decade is named by its first year"),
        (["pairs", "actor", "composer"], 1, "nobody is credited as 'actor' and 'composer' there"),
        (["pairs", "actor", "director", "--source", "x"], 1, "there is no source 'x'"),
    ],
)
def test_wrong_questions(run: Run, database: Path, arguments: list[str], code: int, message: str) -> None:
    ended = run(*arguments, "--database", database)
    assert (ended.code, message in f"{ended.err}{ended.out}") == (code, True), ended


def test_costars(run: Run, database: Path) -> None:
    lines = run("costars", "al", "pacino", "--database", database).out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "works name newest works id",
        "3 Robert De Niro Angels (2003), Heat (1995), The Godfather (1974) home:bob",
        "1 Al Ono Angels (2003) home:x",
    ]
    document = run("costars", "pacino", "--type", "director", "--json", "--database", database).json
    assert [(one["person"]["id"], one["works"]) for one in document["costars"]] == [
        ("home:mann", 2),
        ("home:ford", 1),
    ]
    assert document["person_ids"] == ["home:al"]
    rows = list(csv.DictReader(io.StringIO(run("costars", "pacino", "--csv", "--database", database).out)))
    assert (rows[0]["name"], rows[0]["works"]) == ("Robert De Niro", "3")
    assert rows[0]["titles"] == "Angels; Heat; The Godfather"
    ended = run("costars", "pacino", "--type", "composer", "--database", database)
    assert ended.out == "Nobody is credited together with this person.\n"


def test_top_and_pairs(run: Run, database: Path) -> None:
    lines = run("top", "actor", "--database", database, "--limit", "2").out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "items name in all id",
        "4 Al Pacino 4 works, 1974-2003, The Godfather (1974) home:al",
        "3 Robert De Niro 3 works, 1974-2003, Angels (2003) home:bob",
    ]
    document = run("top", "actor", "--by", "episodes", "--json", "--database", database).json
    assert (document["by"], [one["count"] for one in document["people"]]) == ("episodes", [1, 1, 1])
    text = run("top", "actor", "--decade", "1990", "--csv", "--database", database).out
    assert [(row["name"], row["count"]) for row in csv.DictReader(io.StringIO(text))] == [
        ("Al Pacino", "2"),
        ("Robert De Niro", "1"),
    ]
    lines = run("pairs", "director", "actor", "--database", database, "--limit", "1").out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "works director actor ids",
        "2 Michael Mann Al Pacino home:mann, home:al",
    ]
    document = run("pairs", "actor", "actor", "--json", "--database", database).json
    assert document["pairs"][0]["works"] == 3
    text = run("pairs", "director", "actor", "--genre", "crime", "--csv", "--database", database).out
    assert len(list(csv.DictReader(io.StringIO(text)))) == 4


def test_a_filmography_by_title(run: Run, home: Path, tmp_path: Path) -> None:
    database = tmp_path / "folded.db"
    host = credit("a", "Ann", role="Self - Host")
    parts = [
        episode(
            f"s-1-{n}",
            "s-1",
            n,
            season_number=1,
            year=1990 + n,
            credits=[
                credit("a", "Ann", role=f"R{n}"),
                *([credit("a", "Ann", kind="director", role="Second Unit")] if n == 1 else []),
                *([credit("a", "Ann", kind="guest_star", role="Twin")] if n == 2 else []),
            ],
        )
        for n in range(1, 6)
    ]
    fill(
        database,
        "home",
        movie("1", title="Film", year=1980, credits=[credit("a", "Ann", kind="writer", role="Story")]),
        movie("2", title="Portrait", year=2001, credits=[credit("a", "Ann", role="Self")]),
        *(show("s", title="Serial", credits=[]), season("s-1", "s"), *parts),
        *(show("t", title="Late", genres=["Talk"], credits=[host]),),
    )
    assert run("person", "ann", "--database", database).out == (
        "Ann\n"
        "10 credits in 4 titles\n"
        "\n"
        "  1980       Film                       writer (Story)\n"
        "  1991-1995  Serial (show, 5 episodes)  as R1 / R2 / R3 / …, director (Second Unit, 1 episode), "
        "as Twin (guest star, 1 episode)\n"
        "\n"
        "As self\n"
        "  2001  Portrait  as Self\n"
        "\n"
        "Talk shows\n"
        "    Late (show)  as Self - Host\n"
        "\n"
        "Id      home:a\n"
        "Source  home\n"
    )
    assert run("person", "ann", "--episodes", "--database", database).out.startswith(
        "Ann\n10 credits in 8 items\n"
    )
    document = run("person", "ann", "--json", "--database", database).json
    assert [title["title"] for title in document["works"]] == ["Film", "Serial"]
    assert [title["title"] for title in document["as_self"]] == ["Portrait"]
    assert [title["title"] for title in document["talk_shows"]] == ["Late"]
    assert len(document["filmography"]) == 10
