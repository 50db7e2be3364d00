"""``mediasync removed``, ``restore``, ``purge`` and ``undo``, and removals that a sync asks about."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_runs import Run, write_movie

HEAT = "films:movies/Heat (1995)"


@pytest.fixture
def without_heat(run: Run, synced: Path, library: Path) -> Path:
    """The library without one of its films, which run 2 has found out."""
    shutil.rmtree(library / "movies" / "Heat (1995)")
    ended = run("sync", f"films=nfo:{library}")
    assert ended.code == 0
    assert ", 1 removed\n" in ended.out
    assert f"  1 removed, because the source no longer has them:\n    {HEAT}\n" in ended.out
    assert "1 removed; " in ended.out.splitlines()[-2]
    assert ended.out.splitlines()[-2].endswith("credits removed: mediasync log --run 2")
    return library


def test_a_removed_film_is_listed_and_can_be_restored(run: Run, without_heat: Path) -> None:
    assert run("show", "heat").code == 1
    listed = run("removed").out.splitlines()
    assert listed[0].split() == ["item", "id", "credits", "missing", "since", "run"]
    assert listed[1].startswith(f"Heat (1995)  {HEAT} ")
    assert listed[1].endswith("  2")
    assert listed[2] == f"mediasync restore '{HEAT}' brings one back"
    document = run("removed", "--source", "films", "--json").json
    assert [(item["id"], item["run_id"]) for item in document["items"]] == [(HEAT, 2)]
    assert document["more"] is False
    assert "removed  Heat (1995)" in run("log").out
    ended = run("restore", HEAT)
    assert (ended.code, ended.out) == (0, f"1 item is back:\n  {HEAT}\n")
    assert run("show", "heat").code == 0
    assert run("removed").out == "Nothing is removed.\n"
    assert "back" in run("log", "--item", HEAT).out


def test_what_is_not_removed_is_not_restored(run: Run, without_heat: Path) -> None:
    ended = run("restore", HEAT, "films:none")
    assert (ended.code, ended.out) == (1, "")
    assert "'films:none' is not stored: mediasync removed lists what is" in ended.err
    assert len(run("removed", "--json").json["items"]) == 1
    assert run("removed", "--source", "none").code == 1
    assert run("purge", "--source", "none").code == 1


def test_a_purge_deletes_what_was_removed_long_ago(run: Run, without_heat: Path) -> None:
    assert run("purge").out == "0 items and 0 people deleted.\n"
    planned = run("purge", "--older-than", "0d", "--dry-run", "--json").json
    assert (planned["dry_run"], planned["items"]) == (True, 1)
    assert planned["people"] > 0
    done = run("purge", "--older-than", "0 d", "--json").json
    assert done == {**planned, "dry_run": False}
    assert run("removed", "--json").json == {"items": [], "more": False}
    assert run("check").code == 0
    ended = run("purge", "--older-than", "soon")
    assert (ended.code, "--older-than: 'soon' is not a length of time" in ended.err) == (2, True)


def test_an_empty_library_is_asked_about_once_and_confirmed(run: Run, synced: Path, library: Path) -> None:
    films = f"films=nfo:{library}"
    shutil.rmtree(library / "movies")
    (library / "movies").mkdir()
    ended = run("sync", films, "--json")
    assert ended.code == 5
    [source] = ended.json["sources"]
    assert source["status"] == source["run"]["status"] == "needs confirmation"
    [pending] = source["pending_removals"]
    assert pending["library_id"] == "films:movies"
    assert pending["items"] == pending["stored"] == len(pending["item_ids"])
    assert HEAT in pending["item_ids"]
    ended = run("sync", films)
    assert ended.code == 0
    assert "--max-removals" in ended.out
    status = run("status")
    assert status.code == 0
    number = pending["items"]
    assert (
        f"needs confirmation: {number} items of {number} would be removed, but the library lists no items"
        in " ".join(status.out.split())
    )
    [stored] = run("status", "--json").json["sources"]
    assert {one["id"]: bool(one["pending_removal"]) for one in stored["libraries"]}["films:movies"]
    assert run("runs").out.count("needs confirmation") == 1
    assert run("sync", films, "--max-removals", number - 1).code == 0
    assert run("removed", "--json").json["items"] == []
    assert run("sync", films, "--max-removals", "100%").code == 0
    assert len(run("removed", "--json").json["items"]) == number
    assert "needs confirmation" not in run("status").out
    ended = run("sync", films, "--max-removals", "many")
    assert (ended.code, "'many' is not a limit of removals" in ended.err) == (2, True)


def test_how_long_removed_items_are_kept_is_configured(
    run: Run, home: Path, synced: Path, library: Path
) -> None:
    file = home / "mediasync.toml"
    shutil.rmtree(library / "movies" / "Heat (1995)")
    file.write_text(f'[database]\nkeep_removed = 0\n[sources.films]\nfolder = "{library}"\n')
    run("sync")
    [source] = run("sync", "--json").json["sources"]
    assert source["purged"]["items"] + len(run("removed", "--json").json["items"]) <= 1
    assert run("removed", "--json").json["items"] == []
    for wrong in ("-1", '"7d"', "true"):
        file.write_text(f"[database]\nkeep_removed = {wrong}\n")
        ended = run("sync")
        assert ended.code == 2
        assert '[database] keep_removed: must be a number of days, 0 or more, or "never"' in ended.err


def test_a_run_is_undone(run: Run, without_heat: Path) -> None:
    planned = run("undo", "--run", 2, "--dry-run")
    assert (planned.code, planned.out) == (0, f"  1 would be undone:\n    {HEAT}  back\n")
    ended = run("undo", "--run", 2)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "This is run 3: mediasync undo --run 3 undoes it"
    assert run("show", "heat").code == 0
    document = run("undo", "--run", 3, "--json").json
    assert (document["dry_run"], document["run_id"], document["undone"]) == (False, 3, [[HEAT, "removed"]])
    assert document["run"]["status"] == "succeeded"
    assert run("show", "heat").code == 1


def test_what_was_changed_again_is_listed(run: Run, without_heat: Path) -> None:
    write_movie(without_heat, "Heat (1995)", "<title>Heat</title><year>1995</year>")
    run("sync", f"films=nfo:{without_heat}")
    ended = run("undo", "--run", 2)
    assert ended.code == 1
    assert f"  1 left as they are:\n    {HEAT}  run 3 brought it back since\n" in ended.out
    assert run("undo", "--run", 9).code == 1
    assert run("undo").code == 2
