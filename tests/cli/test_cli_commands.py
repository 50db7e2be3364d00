"""The answers of each command, for people and for programs."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from cli_runs import Run, write_movie

from mediasync import Credit, Episode, Library, MediaSync, Movie, Person, Rating, Season, Show, Source

READERS = (
    ["status"],
    ["runs"],
    ["show", "heat"],
    ["person", "al"],
    ["find", "--with", "al pacino"],
    ["costars", "al", "pacino"],
    ["top", "actor"],
    ["pairs", "director", "actor"],
    ["check"],
    ["doctor"],
)


def fill(database: Path, *items: Movie | Show | Season | Episode) -> None:
    """Save items under the source ``home``."""

    async def save() -> None:
        async with MediaSync(f"sqlite:///{database}") as ms:
            await ms.media.save_source(Source(id="home", kind="jellyfin", name="Our server"))
            await ms.media.save_library(Library(id="all", source_id="home", kind="mixed"))
            report = await ms.media.save_media_items(items, library_id="all", source_id="home")
            assert not report.failed

    asyncio.run(save())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "filled.db"


# The database


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_without_a_database_readers_say_what_to_do_and_create_nothing(
    run: Run, home: Path, command: list[str]
) -> None:
    ended = run(*command)
    assert ended.code == 4
    assert ended.out == ""
    assert ended.err == (
        f"mediasync: database {home}/data/mediasync/mediasync.db does not exist; "
        "run `mediasync sync` to create it\n"
    )
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_readers_leave_the_database_as_it_is(run: Run, synced: Path, command: list[str]) -> None:
    before = synced.read_bytes()
    assert run(*command).code == 0
    assert synced.read_bytes() == before


def test_the_option_beats_the_environment_which_beats_the_default(
    run: Run, home: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path() -> str:
        found: str = run("status", "--json").json["database"]["path"]
        return found

    run("sync", f"nfo:{library}")
    assert path() == f"{home}/data/mediasync/mediasync.db"
    monkeypatch.setenv("MEDIASYNC_DATABASE", "environment.db")
    run("sync", f"nfo:{library}")
    assert path() == f"{home}/environment.db"
    monkeypatch.delenv("MEDIASYNC_DATABASE")
    (home / "url").write_text("sqlite:///environment.db\n")
    monkeypatch.setenv("MEDIASYNC_DATABASE_FILE", "url")
    assert path() == f"{home}/environment.db"
    run("sync", f"nfo:{library}", "--database", "option.db")
    for arguments in (["--database", "option.db", "status"], ["status", "--database", "sqlite:///option.db"]):
        assert run(*arguments, "--json").json["database"]["path"] == f"{home}/option.db"


def test_only_the_default_folder_is_made(run: Run, home: Path, library: Path) -> None:
    ended = run("sync", f"nfo:{library}", "--database", "missing/media.db")
    assert ended.code == 4
    assert "does not exist; create it first" in ended.err
    assert not (home / "missing").exists()


def test_a_default_folder_that_cannot_be_made_is_named(run: Run, home: Path, library: Path) -> None:
    (home / "data").write_text("in the way")
    ended = run("sync", f"nfo:{library}")
    assert ended.code == 4
    assert f"the folder of the database, {home}/data/mediasync, cannot be created" in ended.err


@pytest.mark.parametrize("command", [["sync", "nfo:."], *READERS], ids=lambda command: command[0])
def test_a_file_that_is_no_database_is_named(run: Run, home: Path, command: list[str]) -> None:
    (home / "notes.txt").write_text("not a database, but long enough to look like one" * 100)
    ended = run(*command, "--database", "notes.txt", "--json")
    assert ended.code == 4
    assert ended.json["error"]["kind"] == "DatabaseCorrupt"
    assert ended.err == f"mediasync: {ended.json['error']['message']}\n"


# status


def test_status_of_a_library(run: Run, synced: Path) -> None:
    ended = run("status")
    assert ended.code == 0
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"Database  {synced} (")
    assert lines[0].endswith("schema up to date")
    assert lines[1] == "People    8 with 13 credits"
    assert lines[3] == "films (nfo)"
    assert "  movies     2 movies (cast and crew full)" in lines
    assert (
        "  tvshows    1 show (cast and crew full), 1 season (cast and crew: 1 none), "
        "2 episodes (cast and crew full)" in lines
    )
    assert "  people     8" in lines
    assert lines[-1].startswith("  last sync  succeeded ")
    assert lines[-1].endswith("6 seen, 6 saved, 0 unchanged, 0 failed (run 1)")


def test_status_as_json(run: Run, synced: Path) -> None:
    document = run("status", "--json").json
    assert document["database"] == {
        "url": f"sqlite:///{synced}",
        "path": str(synced),
        "size_bytes": synced.stat().st_size,
        "schema": "current",
    }
    assert (document["people"], document["credits"]) == (8, 13)
    [source] = document["sources"]
    assert (source["id"], source["kind"], source["name"], source["people"]) == ("films", "nfo", "films", 8)
    assert source["last_run"]["status"] == "succeeded"
    assert datetime.fromisoformat(source["last_run"]["started_at"]).tzinfo
    movies, shows = source["libraries"]
    assert (movies["id"], movies["title"], movies["kind"]) == ("films:movies", "movies", "movies")
    assert movies["items"] == {"movie": {"none": 0, "preview": 0, "full": 2}}
    assert set(shows["items"]) == {"show", "season", "episode"}


def test_status_without_a_sync(run: Run, home: Path, database: Path) -> None:
    fill(database)
    lines = run("status", "--database", database).out.splitlines()
    assert "home (jellyfin, Our server)" in lines
    assert "  all        no items" in lines
    assert "  last sync  never" in lines
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM library")
    connection.close()
    assert "  no libraries" in run("status", "--database", database).out.splitlines()


def test_status_of_an_empty_database(run: Run, home: Path) -> None:
    assert run("sync", "nfo:missing", "--database", "media.db").code == 3
    assert (
        "No source was synced yet: mediasync sync nfo:FOLDER" in run("status", "--database", "media.db").out
    )


def test_status_of_a_run_that_never_ended_and_of_one_that_failed(run: Run, synced: Path) -> None:
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE sync_run SET status = 'running', finished_at = NULL")
    connection.close()
    assert run("status").out.splitlines()[-1].startswith("  last sync  interrupted ")
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE lease SET expires_at = ?", [2**52])
    connection.close()
    line = run("status").out.splitlines()[-1]
    assert line.startswith("  last sync  running ")
    assert line.endswith(" (run 1)")
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE sync_run SET status = 'failed', finished_at = started_at, error = 'why'")
    connection.close()
    assert run("status").out.splitlines()[-1].endswith("0 failed (run 1): why")


# runs


def test_runs_are_listed_the_newest_first(run: Run, synced: Path, library: Path) -> None:
    run("sync", f"other=nfo:{library}")
    title, newest, oldest = run("runs").out.splitlines()
    assert " ".join(title.split()) == "run source status started took seen saved unchanged failed"
    assert newest.split()[:3] == ["2", "other", "succeeded"]
    assert oldest.split()[:3] == ["1", "films", "succeeded"]
    assert oldest.split()[-4:] == ["6", "6", "0", "0"]
    assert [line.split()[1] for line in run("runs", "--source", "films").out.splitlines()[1:]] == ["films"]


def test_what_runs_leave_out_is_said(run: Run, synced: Path, library: Path) -> None:
    run("sync", f"films=nfo:{library}")
    lines = run("runs", "--limit", 1).out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "older runs are left out: --limit 2 shows more, --all shows all"
    document = run("runs", "--limit", 1, "--json").json
    assert [item["id"] for item in document["runs"]] == [2]
    assert document["more"] is True
    document = run("runs", "--limit", 1, "--all", "--json").json
    assert [item["id"] for item in document["runs"]] == [2, 1]
    assert document["more"] is False


def test_runs_that_failed_or_never_ended(run: Run, synced: Path) -> None:
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE sync_run SET status = 'failed', finished_at = NULL, error = 'why'")
    connection.close()
    _, line, error = run("runs").out.splitlines()
    assert line.split()[5] == "-"
    assert error == "run 1:  why"
    assert "  error    why" in run("runs", 1).out.splitlines()


def test_a_run_with_what_it_could_not_read(run: Run, library: Path) -> None:
    for number in range(25):
        write_movie(library, f"Broken {number:02}", "<title>")
    run("sync", f"films=nfo:{library}")
    lines = run("runs", 1).out.splitlines()
    assert lines[0] == "Run 1 of films"
    assert "  25 failed; what was stored of them before stays:" in lines
    assert len([line for line in lines if line.startswith("    films:movies/Broken")]) == 20
    assert "    and 5 more: --all shows all" in lines
    everything = run("runs", 1, "--all").out.splitlines()
    assert len([line for line in everything if line.startswith("    films:movies/Broken")]) == 25
    document = run("runs", 1, "--json").json
    assert document["run"]["failed"] == 25
    assert len(document["failures"]) == 25
    assert document["failures"][0].keys() == {"subject", "reason"}
    assert document["problems"] == document["remarks"] == []


def test_a_run_without_flaws(run: Run, synced: Path) -> None:
    lines = run("runs", 1).out.splitlines()
    assert lines[-1] == "  nothing failed, nothing was left out"
    assert "  items    6 seen, 6 saved, 0 unchanged, 0 failed" in lines
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE sync_run SET finished_at = NULL")
    connection.close()
    assert "ended" not in run("runs", 1).out


def test_runs_of_nothing(run: Run, home: Path, database: Path) -> None:
    fill(database)
    assert run("runs", "--database", database).out == "Nothing was synced yet: mediasync sync nfo:FOLDER\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs", "7"], "there is no run 7; mediasync runs lists them"),
        (["runs", "--source", "plex"], "there is no source 'plex'; there are: films"),
        (["show", "Alien"], "no stored item is called 'Alien', wholly or in part"),
        (["show", "Heat (1986)"], "no stored item is called 'Heat (1986)', wholly or in part"),
        (["show", "imdb:tt1"], "no stored item is called 'imdb:tt1', wholly or in part"),
        (["person", "Sigourney"], "no stored person is called 'Sigourney'"),
        (["person", "..."], "no stored person is called '...'"),
    ],
)
def test_nothing_found(run: Run, synced: Path, arguments: list[str], message: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out, ended.err) == (1, "", f"mediasync: {message}\n")
    assert run(*arguments, "--json").json == {"error": {"kind": "NotFound", "message": message}}


# show


def test_show_a_movie(run: Run, synced: Path) -> None:
    ended = run("show", "heat")
    assert ended.code == 0
    assert ended.out == (
        "Heat (1995)\n"
        "movie | 2 h 50 min | R | Crime | imdb 8.3 (700,123 votes)\n"
        "original title: Heat!\n"
        "\n"
        "A Los Angeles crime saga\n"
        "\n"
        "A thief and a detective.\n"
        "\n"
        "Cast (2)\n"
        "  Al Pacino       as Vincent Hanna\n"
        "  Robert De Niro  as Neil McCauley\n"
        "\n"
        "Crew (2)\n"
        "  director  Michael Mann\n"
        "  writer    Michael Mann\n"
        "\n"
        "Id         films:movies/Heat (1995)\n"
        "Providers  imdb:tt0113277\n"
        "Library    films:movies\n"
        "Path       movies/Heat (1995)/movie.nfo\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["films:movies/Heat (1995)"],
        ["imdb:tt0113277"],
        ["IMDB:tt0113277"],
        ["Heat", "(1995)"],
        ["heat(1995)"],
        ["hea"],
        ["--json", "HEAT"],
    ],
)
def test_ways_to_name_a_movie(run: Run, synced: Path, arguments: list[str]) -> None:
    assert run("show", *arguments, "--json").json["item"]["id"] == "films:movies/Heat (1995)"


def test_show_a_show_with_its_episodes(run: Run, synced: Path) -> None:
    lines = run("show", "dark").out.splitlines()
    assert lines[:2] == ["Dark (2017)", "show"]
    assert "There are no cast and crew." in lines
    at = lines.index("Season 1 (2 episodes)")
    assert lines[at + 1 : at + 3] == ["  S01E01  Secrets", "  S01E02  Lies"]
    document = run("show", "dark", "--json").json
    [season] = document["children"]
    assert [episode["title"] for episode in season["children"]] == ["Secrets", "Lies"]
    assert document["parents"] == []


def test_show_a_season_and_an_episode(run: Run, synced: Path) -> None:
    season = run("show", "season", "1").out.splitlines()
    assert season[0] == "Dark S01: Season 1"
    assert "The cast and crew are not known." in season
    assert season[season.index("Episodes (2)") + 1] == "  S01E01  Secrets"
    assert run("show", "lies").out.startswith("Dark S01E02: Lies\nepisode")
    document = run("show", "lies", "--json").json
    assert [parent["media_type"] for parent in document["parents"]] == ["season", "show"]
    assert document["item"]["season_number"] == 1


def test_show_several_that_fit(run: Run, synced: Path) -> None:
    title, *found = run("show", "se").out.splitlines()
    assert title == "2 fit; show one by its id:"
    assert sorted(found) == [
        "  Dark S01: Season 1    season   films:tvshows/Dark (2017)#s01",
        "  Dark S01E01: Secrets  episode  films:tvshows/Dark (2017)/Season 01/Dark S01E01#s01e01",
    ]
    document = run("show", "se", "--json").json
    assert (len(document["matches"]), document["more"], document["item"]) == (2, False, None)
    assert list(document["matches"][0]) == [
        "id",
        "media_type",
        "title",
        "year",
        "season_number",
        "episode_number",
        "source_id",
        "library_id",
    ]
    assert {match["season_number"] for match in document["matches"]} == {1}


def test_what_show_leaves_out_is_said(run: Run, home: Path, database: Path) -> None:
    fill(database, *(Movie(remote_id=f"{number:02}", title="Remake") for number in range(22)))
    lines = run("show", "remake", "--database", database).out.splitlines()
    assert lines[0] == "20 or more fit; show one by its id:"
    assert lines[-1] == "  more are left out: --all shows them, a longer title narrows it down"
    assert len(lines) == 22
    assert run("show", "remake", "--database", database, "--json").json["more"] is True
    everything = run("show", "remake", "--all", "--database", database)
    assert everything.out.startswith("22 fit;")


def test_long_lists_of_one_item(run: Run, home: Path, database: Path) -> None:
    def many(person_type: str) -> list[Credit]:
        return [Credit(person=Person(name=f"{person_type} {n}"), person_type=person_type) for n in range(30)]

    show = Show(remote_id="show", title="Long", credits=[*many("actor"), *many("Best Boy")])
    seasons = [
        Season(remote_id=f"s{s}", parent_remote_id="show", title=f"Season {s}", season_number=s)
        for s in range(3)
    ]
    episodes = [
        Episode(
            remote_id=f"s{s}e{e}",
            parent_remote_id=f"s{s}",
            title=f"Part {e}",
            season_number=s,
            episode_number=e,
        )
        for s in range(2)
        for e in range(60)
    ]
    extra = Episode(remote_id="extra", parent_remote_id="show", title="Extra")
    fill(database, show, *seasons, *episodes, extra)
    lines = run("show", "long", "--database", database).out.splitlines()
    assert "Cast (30)" in lines
    assert "Crew (30)" in lines
    assert lines.count("  and 10 more: --all shows all") == 2
    assert "  Best Boy  Best Boy 0" in lines
    assert "            Best Boy 1" in lines
    assert "Season 2 (0 episodes)" in lines
    assert "  21 episodes left out: --all shows all" in lines
    everything = run("show", "long", "--all", "--database", database).out
    assert "left out" not in everything
    assert "more" not in everything
    assert "  Extra" in everything


def test_what_is_known_of_the_cast(run: Run, home: Path, database: Path) -> None:
    people = [
        Credit(person=Person(name="A"), person_type="actor"),
        Credit(person=Person(name="B"), person_type="guest_star", role="Himself"),
        Credit(person=Person(name="C"), person_type="guest_star"),
        Credit(person=Person(name="D"), person_type="writer", role="Writer"),
        Credit(person=Person(name="E"), person_type="writer", role="Screenplay"),
    ]
    movie = Movie(
        remote_id="1",
        title="Sneak",
        original_title="Sneak",
        credits=people,
        completeness="preview",
        path="/films/sneak.mkv",
        ratings=[Rating(name="critics", value=7)],
    )
    fill(database, movie)
    lines = run("show", "sneak", "--database", database).out.splitlines()
    assert lines[:2] == ["Sneak", "movie | critics 7"]
    assert "Only the first of the cast and crew are known." in lines
    for line in (
        "  A",
        "  B  as Himself (guest star)",
        "  C  (guest star)",
        "  writer  D",
        "          E (Screenplay)",
    ):
        assert line in lines
    assert lines[-1] == "Path     /films/sneak.mkv"


# person


def test_a_person_with_their_credits(run: Run, synced: Path) -> None:
    assert run("person", "de", "niro").out == (
        "Robert De Niro\n"
        "2 credits in 2 titles\n"
        "\n"
        "  1995  Heat   as Neil McCauley\n"
        "  1998  Ronin  as Sam\n"
        "\n"
        "Id      films:name:robert de niro\n"
        "Source  films\n"
    )
    document = run("person", "films:name:robert de niro", "--json").json
    assert document["person"]["name"] == "Robert De Niro"
    assert document["matches"] == [
        {"id": "films:name:robert de niro", "name": "Robert De Niro", "source_id": "films"}
    ]
    assert [credit["role"] for credit in document["filmography"]] == ["Neil McCauley", "Sam"]
    assert document["more"] is False


def test_episodes_are_one_line_unless_asked_for(run: Run, synced: Path) -> None:
    lines = [line.strip() for line in run("person", "odar").out.splitlines()]
    assert "Dark (show, 2 episodes)  director" in lines
    lines = [line.strip() for line in run("person", "odar", "--episodes").out.splitlines()]
    assert "Dark S01E01: Secrets  director" in lines


def test_several_people_fit(run: Run, synced: Path) -> None:
    assert run("person", "robert").out == (
        "2 people fit; show one by the id:\n"
        "  Robert De Niro  Heat (1995) and 1 more, 1995-1998  films:name:robert de niro\n"
        "  Robert Denard   Ronin (1998)                       films:name:robert denard\n"
    )
    document = run("person", "robert", "--json").json
    assert (document["person"], document["filmography"], len(document["matches"])) == (None, [], 2)


def test_a_misspelt_name_and_a_misspelt_title_are_found_and_said(run: Run, synced: Path) -> None:
    assert run("person", "robert de nero").out.splitlines()[:2] == [
        "nobody is called 'robert de nero'; this name is like it",
        "Robert De Niro",
    ]
    assert run("person", "robert de nero", "--json").json["similar"] is True
    assert run("show", "ronnin").out.splitlines()[:2] == [
        "nothing is called 'ronnin'; this is like it",
        "Ronin (1998)",
    ]
    document = run("show", "ronnin", "--json").json
    assert (document["similar"], document["item"]["title"], document["others"]) == (True, "Ronin", [])


def test_an_exact_name_or_title_does_not_hide_the_others(run: Run, home: Path, database: Path) -> None:
    people = [Person(name="Li"), Person(name="Li Gong"), Person(name="Jet Li")]
    cast = [Credit(person=one, person_type="actor") for one in people]
    fill(
        database,
        Movie(remote_id="1", title="Tide", year=1990, credits=cast),
        Movie(remote_id="2", title="Tide of Night", year=2000),
    )
    lines = run("person", "li", "--database", database).out.splitlines()
    assert lines[-3] == "2 others match:"
    document = run("person", "li", "--database", database, "--json").json
    assert {one["name"] for one in document["others"]} == {"Li Gong", "Jet Li"}
    lines = run("show", "tide", "--database", database).out.splitlines()
    assert lines[-2] == "1 other matches:"
    assert lines[-1].startswith("  Tide of Night (2000)")
    assert [one["title"] for one in run("show", "tide", "--database", database, "--json").json["others"]] == [
        "Tide of Night"
    ]


def test_search(run: Run, synced: Path) -> None:
    lines = run("search", "robert de nero").out.splitlines()
    assert lines[0] == "People"
    assert "Robert De Niro" in lines[1]
    document = run("search", "heat", "--json").json
    assert (document["titles"][0]["title"], document["titles"][0]["match"]) == ("Heat", "exact")
    assert document["titles"][0]["other_ids"] == []
    ended = run("search", "qqqqqq")
    assert (ended.code, ended.err) == (1, "mediasync: no stored title or name is like 'qqqqqq'\n")


def test_who_has_just_this_name_is_meant(run: Run, home: Path, database: Path) -> None:
    people = [Person(name="Li"), Person(name="Li Gong"), Person(name="Jet Li")]
    fill(
        database,
        Movie(remote_id="1", title="x", credits=[Credit(person=one, person_type="actor") for one in people]),
    )
    assert run("person", "li", "--database", database).out.startswith("Li\n")
    assert run("person", "l", "--database", database).out.startswith("3 people fit")


def test_what_person_leaves_out_is_said(run: Run, home: Path, database: Path) -> None:
    films = [
        Movie(
            remote_id=f"{number}",
            title=f"Film {number}",
            credits=[
                Credit(
                    person=Person(remote_id="1", name="Busy", provider_ids={"imdb": "nm1"}), person_type=kind
                )
                for kind in ("actor", "guest_star", "director")
            ],
        )
        for number in range(52)
    ]
    films[0].credits = [
        Credit(person=Person(remote_id="1", name="Busy"), person_type="guest_star", role="Himself"),
        Credit(person=Person(remote_id="1", name="Busy"), person_type="writer", role="Story"),
    ]
    fill(database, *films, Show(remote_id="s", title="Daily", year=1980, credits=films[1].credits))
    lines = run("person", "busy", "--database", database).out.splitlines()
    assert lines[1] == "158 credits in 53 titles"
    assert "  1980  Daily (show)  actor, guest star, director" in lines
    words = [" ".join(line.split()) for line in lines]
    assert "Film 0 writer (Story)" in words
    assert words[words.index("As self") + 1] == "Film 0 as Himself (guest star)"
    assert "  and 3 more: --all shows all" in lines
    assert "Providers  imdb:nm1" in lines
    assert "left" not in run("person", "busy", "--all", "--database", database).out


def test_many_people_and_people_without_credits(
    run: Run, home: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)

    async def save() -> None:
        async with MediaSync(f"sqlite:///{database}") as ms:
            await ms.people.upsert_batch([Person(name=f"Double {n:02}") for n in range(25)], source_id="home")

    asyncio.run(save())
    lines = run("person", "double", "--database", database).out.splitlines()
    assert lines[0] == "25 people fit; show one by the id:"
    assert lines[-1] == "  others are left out: --all shows them, more of the name narrows it down"
    assert len(lines) == 22
    assert len(run("person", "double", "--database", database, "--all").out.splitlines()) == 26
    assert run("person", "double 07", "--database", database).out.startswith(
        "Double 07\n0 credits in 0 titles"
    )
    document = run("person", "double", "--database", database, "--json").json
    assert (len(document["matches"]), document["more"]) == (20, True)
    monkeypatch.setattr("mediasync.cli.person._MOST", 22)
    assert run("person", "double", "--database", database).out.startswith("more than 22 people fit")


# check


def test_check_of_a_good_database(run: Run, synced: Path) -> None:
    ended = run("check")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert "foreign keys: ok" in lines
    assert "dense orders: ok" in lines
    assert lines[-1] == "Nothing is wrong."
    document = run("check", "--json").json
    assert document["ok"] is True
    assert {"name": "integrity", "ok": True, "flaws": []} in document["checks"]


def test_check_lists_flaws(run: Run, synced: Path, library: Path) -> None:
    for number in range(30):
        write_movie(
            library,
            f"Film {number}",
            f"<title>{number}</title><actor><name>Al</name></actor><year>2000</year>",
        )
    run("sync", f"films=nfo:{library}")
    with sqlite3.connect(synced) as connection:
        connection.execute("UPDATE credit SET sort_order = sort_order + 7")
    connection.close()
    ended = run("check")
    assert ended.code == 4
    lines = ended.out.splitlines()
    assert "dense orders: 34 flaws" in lines
    assert "  and 14 more: --all shows all" in lines
    assert lines[-1] == "34 flaws found: keep a copy of the file and sync into a new one"
    assert "more" not in run("check", "--all").out
    ended = run("check", "--json")
    assert ended.code == 4
    assert ended.err == ""
    assert ended.json["ok"] is False
    [flawed] = [check for check in ended.json["checks"] if not check["ok"]]
    assert len(flawed["flaws"]) == 34
    assert flawed["flaws"][0].keys() == {"subject", "reason"}


HUGE = "Ä" * 1_000_000
LONG = "x" * 900
"""A name that can be stored, and that nobody reads to its end."""


def test_long_names_and_texts_are_cut_for_people(run: Run, home: Path, database: Path) -> None:
    names = [
        Credit(person=Person(name=f"{LONG}{number}"), person_type=kind, role=LONG)
        for number, kind in enumerate(("actor", "director", "x" * 300))
    ]
    film = Movie(
        remote_id="1",
        title=LONG,
        original_title=f"{LONG}!",
        overview=HUGE,
        tagline=HUGE,
        genres=[f"{number}{LONG}" for number in range(100)],
        credits=names,
    )

    async def make() -> None:
        async with MediaSync(f"sqlite:///{database}") as ms:
            await ms.media.save_source(Source(id="home", kind="plex", name=LONG))
            await ms.media.save_library(Library(id="1", source_id="home", title=LONG, kind="movies"))
            await ms.media.save_media_item(film, library_id="1", source_id="home")

    asyncio.run(make())
    for command in (["status"], ["show", "home:1"], ["show", "--all", "home:1"], ["runs"], ["check"]):
        ended = run(*command, "--database", database)
        assert ended.code == 0
        assert max(map(len, ended.out.splitlines())) <= 5_000
        assert len(ended.out) <= 40_000
    lines = run("show", "home:1", "--database", database).out.splitlines()
    assert lines[0] == f"{LONG[:499]}…"
    assert f"  {LONG[:499]}…  as {LONG[:499]}…" in lines
    document = run("show", "home:1", "--json", "--database", database).json
    assert (document["item"]["title"], document["item"]["overview"]) == (LONG, HUGE)
    person = document["item"]["cast"][0]["person"]["id"]
    assert len(run("person", person, "--database", database).out) <= 10_000
