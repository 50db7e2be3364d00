"""``--as-of`` of ``mediasync show`` and ``mediasync person``, and ``mediasync diff``."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Run, write_movie

HEAT = """<title>Hot</title><year>1995</year><runtime>171</runtime><plot>A thief and a detective.</plot>
<uniqueid type="imdb">tt0113277</uniqueid><genre>Crime</genre>
<director>Michael Mann</director>
<actor><name>Robert De Niro</name><role>Neil McCauley</role></actor>
<actor><name>Hank Azaria</name><role>Alan Marciano</role></actor>"""


@pytest.fixture
def changed(run: Run, synced: Path, library: Path) -> Path:
    """The library with one film changed, which run 2 has read; run 3 changed nothing."""
    write_movie(library, "Heat (1995)", HEAT)
    for _ in range(2):
        assert run("sync", f"films=nfo:{library}").code == 0
    return library


def test_a_film_as_it_was_after_a_run(run: Run, changed: Path) -> None:
    ended = run("show", "heat", "--as-of", 1)
    assert ended.code == 0
    first, heading, *_ = ended.out.splitlines()
    assert (first, heading) == ("as shown at the end of run 1", "Heat (1995)")
    assert "as Vincent Hanna" in ended.out
    assert "2 h 50 min" in ended.out
    for point in (2, 3, "0d"):
        later = run("show", "hot", "--as-of", point)
        assert (later.code, "Pacino" in later.out, "as Alan Marciano" in later.out) == (0, False, True)
    assert run("show", "hot", "--as-of", 1).code == 1
    assert run("show", "imdb:tt0113277", "--as-of", 1, "--json").json["item"]["title"] == "Heat"
    by_id = run("show", "films:movies/Heat (1995)", "--as-of", 1, "--json").json["item"]
    assert [one["role"] for one in by_id["cast"]] == ["Vincent Hanna", "Neil McCauley"]


def test_a_show_as_it_was(run: Run, changed: Path) -> None:
    now, then = (run("show", "dark", *more, "--json").json for more in ((), ("--as-of", 1)))
    assert then["children"] == [
        {
            **child,
            "change_token": None,
            "children": [{**one, "change_token": None} for one in child["children"]],
        }
        for child in now["children"]
    ]


def test_a_person_as_they_were(run: Run, changed: Path) -> None:
    assert run("person", "al", "pacino").code == 1
    ended = run("person", "al", "pacino", "--as-of", 1)
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == ["as shown at the end of run 1", "Al Pacino"]
    assert "as Vincent Hanna" in ended.out
    assert (
        run("person", "hank azaria", "--as-of", 1)
        .err.strip()
        .endswith("no person who was shown at the end of run 1 was called 'hank azaria'")
    )
    document = run("person", "robert de niro", "--as-of", 1, "--json").json
    assert [credit["title"] for credit in document["filmography"]] == ["Heat", "Ronin"]


def test_the_difference_of_two_runs(run: Run, changed: Path) -> None:
    ended = run("diff", 1, 2)
    assert ended.code == 0
    title, *lines = ended.out.splitlines()
    assert title == "From the end of run 1 to the end of run 2"
    [line] = [line for line in lines if "Hot" in line]
    assert line.strip().startswith("changed")
    for part in (
        "Hot (1995): ",
        "title 'Heat' → 'Hot'",
        "− Al Pacino as Vincent Hanna",
        "+ Hank Azaria as Alan Marciano",
    ):
        assert part in " ".join(ended.out.split()), part
    assert run("diff", 2, 3).out == "nothing differs\n"
    assert "title 'Hot' → 'Heat'" in " ".join(run("diff", 3, 1).out.split())
    document = run("diff", 1, 3, "--source", "films", "--json").json
    assert document["more"] is False
    [entry] = [entry for entry in document["differences"] if entry["entity"] == "item"]
    assert (entry["what"], entry["id"], entry["name"]) == ("changed", "films:movies/Heat (1995)", "Hot")
    assert {"name": "runtime_seconds", "old": 10200, "new": 10260} in entry["fields"]
    assert run("diff", 1, 2, "--limit", 1).out.splitlines()[-1].startswith("more differences are left out")
    assert run("diff", "2020-01-01", "0d").out.splitlines()[0].startswith("From 2020-01-01 00:00 to 20")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "heat", "--as-of", "9"), 1, "there is no run 9; mediasync runs lists them"),
        (("person", "al", "--as-of", "9"), 1, "there is no run 9"),
        (("diff", "1", "9"), 1, "there is no run 9"),
        (("diff", "1", "2", "--source", "none"), 1, "there is no source 'none'"),
        (("show", "heat", "--as-of", "soon"), 2, "--as-of: 'soon' is not a length of time"),
        (("show", "heat", "--as-of", "99999999d"), 2, "--as-of: '99999999d' is too long ago"),
        (("diff", "1", "soon"), 2, "the second point: 'soon' is not a length of time"),
        (("diff", "1"), 2, "Missing argument"),
        (("show", "nothing like it", "--as-of", "1"), 1, "no item that was shown at the end of run 1"),
    ],
)
def test_what_cannot_be_shown(
    run: Run, changed: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = run(*arguments)
    assert (ended.code, message in ended.err) == (code, True), ended.err
