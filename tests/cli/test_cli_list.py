"""``mediasync list``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cli_runs import Run

HEAT = "films:movies/Heat (1995)"


def test_films_are_listed_with_their_number(run: Run, synced: Path) -> None:
    lines = run("list", "--type", "movie").out.splitlines()
    assert lines[0].split() == ["title", "year", "type", "rating", "id"]
    [heat] = [line for line in lines if HEAT in line]
    assert heat.split()[:4] == ["Heat", "1995", "movie", "8.3"]
    assert lines[-1] == f"{len(lines) - 2} items"


def test_filters_hold_together(run: Run, synced: Path) -> None:
    def ids(*options: str) -> list[str]:
        return [item["id"] for item in run("list", *options, "--json").json["items"]]

    wanted = ["--with", "al pacino", "--with", "robert de niro", "--year", "1990..1999", "--min-rating", "8"]
    assert ids(*wanted, "--genre", "Crime", "--library", "films:movies", "--source", "films") == [HEAT]
    assert ids(*wanted, "--without", "Michael Mann") == []
    assert ids("--changed-since", "1d", "--type", "movie", "--year", "..1995") == [HEAT]
    assert run("list", "--genre", "None").out == "Nothing fits.\n"


def test_a_page_leads_to_the_next_one(run: Run, synced: Path) -> None:
    everything = [item["id"] for item in run("list", "--all", "--json").json["items"]]
    first = run("list", "--limit", "2", "--json").json
    assert first["total"] == len(everything)
    assert f"--after {first['next']} shows the next" in run("list", "--limit", "2").out
    second = run("list", "--limit", "1000", "--after", first["next"], "--json").json
    assert [item["id"] for item in first["items"] + second["items"]] == everything
    assert second["next"] is None
    ended = run("list", "--desc", "--after", first["next"])
    assert (ended.code, "the cursor is of another list" in ended.err) == (2, True)


def test_rows_of_csv_have_the_fields_of_the_json(run: Run, synced: Path) -> None:
    for what, key in (("items", "items"), ("people", "people")):
        document = run("list", what, "--all", "--json").json[key]
        for options in (["--all"], ["--limit", "1000"]):
            rows = list(csv.DictReader(io.StringIO(run("list", what, "--csv", *options).out)))
            assert [row["id"] for row in rows] == [one["id"] for one in document]
            assert list(rows[0]) == list(document[0])


def test_people_are_listed_by_function_and_name(run: Run, synced: Path) -> None:
    document = run("list", "people", "--function", "director", "--name", "mich", "--json").json
    [mann] = [one for one in document["people"] if one["name"] == "Michael Mann"]
    assert mann["known_for"] == "Heat"
    lines = run("list", "people", "--library", "films:movies", "--min-works", "1").out.splitlines()
    assert lines[0].split() == ["name", "works", "years", "known", "for", "id"]
    assert lines[-1].endswith((" people", "1 person"))


def test_a_name_that_is_not_one_person_is_an_error(run: Run, synced: Path) -> None:
    nobody = run("list", "--with", "nobody at all")
    assert (nobody.code, "no stored person is called 'nobody at all'" in nobody.err) == (1, True)
    several = run("list", "--with", "robert de")
    assert several.code == 1
    assert "people fit 'robert de': give the id of one" in several.err
    assert run("list", "--source", "none").code == 1


def test_wrong_usage_says_what_is_wrong(run: Run, synced: Path) -> None:
    for options, message in (
        (["--year", "nineties"], "--year: 'nineties' names no years"),
        (["--type", "film"], "'film' is none of movie, show, season, episode"),
        (["--sort", "name"], "'name' is none of title, year, added, changed, rating"),
        (["people", "--genre", "Crime"], "--genre: cannot be used to list people"),
        (["--function", "director"], "--function: cannot be used to list items"),
        (["--csv", "--json"], "--csv and --json: give one of them"),
        (["--all", "--after", "x"], "--all and --after: give one of them"),
        (["--after", "x"], "the cursor is damaged"),
        (["--min-rating", "11"], "min_rating 11.0"),
    ):
        ended = run("list", *options)
        assert (ended.code, message in ended.err + ended.out) == (2, True), ended.err
