"""``mediasync doctor``."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import Run, write_movie


@pytest.fixture
def flawed(run: Run, tmp_path: Path) -> Path:
    """A database in which two things are wrong."""
    folder = tmp_path / "flawed"
    for number in range(3):
        write_movie(folder, f"Bare {number}", f"<title>Bare {number}</title><year>2000</year>")
    names = "<actor><name>Al Pacino, Val Kilmer</name></actor>"
    write_movie(folder, "Heat", f"<title>Heat</title><year>1995</year>{names}")
    database = tmp_path / "flawed.db"
    assert run("sync", f"films=nfo:{folder}", "--database", database, "--quiet").code == 0
    return database


def test_nothing_is_wrong_with_the_examples(run: Run, synced: Path) -> None:
    ended = run("doctor", "--fail-on", "info")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "0 findings of 25 checks: nothing seems to be wrong.\n"


def test_findings_have_examples_and_advice(run: Run, flawed: Path) -> None:
    ended = run("doctor", "--database", flawed, "--limit", "2")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "warning  no-credits, films: 3 cases"
    assert lines[2].split() == ["Bare", "0", "(2000)", "films:movies/Bare", "0"]
    assert lines[4] == "    and 1 more: --limit 4 shows more"
    assert lines[5].startswith("  What to do: ")
    assert lines[6] == "warning  name-list, films: 1 case"
    assert lines[-1] == "2 findings of 25 checks."


def test_a_severity_can_fail_the_command(run: Run, flawed: Path) -> None:
    for severity, code in (("info", 1), ("warning", 1), ("error", 0)):
        assert run("doctor", "--database", flawed, "--fail-on", severity).code == code
    left = ("--skip", "no-credits", "--skip", "name-list")
    assert run("doctor", "--database", flawed, "--fail-on", "info", *left).code == 0


def test_json_has_the_checks_and_the_findings(run: Run, flawed: Path) -> None:
    ended = run("doctor", "--database", flawed, "--json", "--check", "name-list", "--check", "career")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["checks"] == ["name-list", "career"]
    assert ended.json["worst"] == "warning"
    [finding] = ended.json["findings"]
    assert (finding["check"], finding["severity"], finding["count"]) == ("name-list", "warning", 1)
    assert finding["examples"] == [
        {
            "id": "films:name:al pacino, val kilmer",
            "text": "Al Pacino, Val Kilmer",
            "facts": {"name": "Al Pacino, Val Kilmer"},
        }
    ]


def test_what_is_not_there_is_an_error(run: Run, flawed: Path) -> None:
    ended = run("doctor", "--database", flawed, "--source", "none")
    assert (ended.code, ended.out) == (1, "")
    assert "there is no source 'none'; there are: films" in ended.err
    ended = run("doctor", "--database", flawed, "--check", "none")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no check 'none'; there are: unread, read-in-part" in ended.err
