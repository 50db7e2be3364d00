"""``mediasync log``."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Run, write_movie

HEAT = """<title>Heat</title><year>1995</year><runtime>171</runtime><plot>A thief and a detective.</plot>
<uniqueid type="imdb">tt0113277</uniqueid><genre>Crime</genre>
<director>Michael Mann</director>
<actor><name>Robert De Niro</name><role>Neil McCauley</role></actor>
<actor><name>Al Pacino</name><role>Lt. Vincent Hanna</role></actor>
<actor><name>Hank Azaria</name><role>Alan Marciano</role></actor>"""


@pytest.fixture
def changed(run: Run, synced: Path, library: Path) -> Path:
    """The library with one film changed, which run 2 has read."""
    write_movie(library, "Heat (1995)", HEAT)
    assert run("sync", f"films=nfo:{library}").code == 0
    return library


def test_the_changes_of_the_last_run_in_words(run: Run, changed: Path) -> None:
    ended = run("log")
    assert ended.code == 0
    title, *lines = ended.out.splitlines()
    assert title.startswith("Run 2, ")
    [line] = [line for line in lines if "Heat" in line]
    assert line.strip().startswith("changed")
    for part in (
        "Heat (1995): ",
        "runtime seconds 10200 → 10260",
        "tagline 'A Los Angeles crime saga' → none",
        "− Michael Mann (writer)",
        "Al Pacino's role 'Vincent Hanna' → 'Lt. Vincent Hanna'",
        "+ Hank Azaria as Alan Marciano",
    ):
        assert part in " ".join(ended.out.split()), part


def test_what_is_asked_for(run: Run, changed: Path) -> None:
    assert "added  Heat (1995)\n" in run("log", "--run", 1).out
    assert run("log", "--run", 7).code == 1
    assert run("log", "--source", "none").code == 1
    of_item = run("log", "--item", "films:movies/Heat (1995)").out
    assert of_item.splitlines()[0].startswith("Run 1, ")
    assert "Ronin" not in of_item
    of_person = run("log", "--person", "films:name:hank azaria", "--json").json["entries"]
    assert [entry["id"] for entry in of_person] == ["films:movies/Heat (1995)"]
    assert (
        run("log", "--since", "1d", "--source", "films", "--limit", 1)
        .out.splitlines()[-1]
        .startswith("more changes are left out: --limit 2")
    )
    assert run("log", "--since", "2100-01-01").out == "nothing changed\n"
    ended = run("log", "--since", "soon")
    assert (ended.code, "--since: 'soon' is not a length of time" in ended.err) == (2, True)


def test_the_document(run: Run, changed: Path) -> None:
    document = run("log", "--json").json
    assert document["more"] is False
    [entry] = [entry for entry in document["entries"] if entry["entity"] == "item"]
    assert (entry["run_id"], entry["what"], entry["name"], entry["year"]) == (2, "changed", "Heat", 1995)
    assert {"name": "runtime_seconds", "old": 10200, "new": 10260} in entry["fields"]
    assert entry["credits"][-1] == {
        "what": "added",
        "person_id": "films:name:hank azaria",
        "name": "Hank Azaria",
        "person_type": "actor",
        "role": "Alan Marciano",
        "old_role": None,
    }


def test_nothing_to_show(run: Run, synced: Path, library: Path) -> None:
    run("sync", f"films=nfo:{library}")
    assert run("log").out == "run 2 changed nothing\n"
    assert run("log", "--json").json["entries"] == []
