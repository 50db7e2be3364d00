"""Shell completion: what is offered, how fast it starts, and in the shells themselves."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli_runs import ROOT, Run, process_environment

from mediasync.cli import main
from mediasync.cli.completing import COMMANDS_FILE, in_bash, split
from mediasync.database.schema import schema_text
from mediasync.repositories import completions
from tools import command_reference


def offered(capsys: pytest.CaptureFixture[str], line: str) -> list[str]:
    """Return what bash is answered for a line with the cursor at its end."""
    capsys.readouterr()
    assert main(["completion", "--answer", "bash", line]) == 0
    written = capsys.readouterr()
    assert written.err == ""
    return written.out.splitlines()


def test_the_data_and_the_man_page_are_made_from_the_commands() -> None:
    message = "run python dev.py reference"
    assert COMMANDS_FILE.read_text(encoding="utf-8") == command_reference.completion_data(), message
    assert command_reference.MAN_PAGE.read_text(encoding="utf-8") == command_reference.man_page(), message


@pytest.mark.parametrize(
    "command",
    [
        ["mandoc", "-T", "lint", "-W", "error"],
        ["man", "--warnings", "--encoding=UTF-8", "--troff-device=utf8", "--ditroff", "--local-file"],
    ],
)
def test_man_page_readers_have_no_complaint(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [*command, str(command_reference.MAN_PAGE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert command[0] == "man" or done.stdout == ""


def test_the_man_page_has_every_command_and_example() -> None:
    page = command_reference.man_page()
    for name in command_reference.program().commands:
        assert f".SS mediasync {name}\n" in page
    assert "mediasync init \\-\\-discover \\-\\-yes \\-\\-json" in page


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("mediasync ini", ["init"]),
        ("mediasync source re", ["rename", "remove"]),
        ("mediasync show --as", ["--as-of"]),
        ("mediasync --log-format js", ["json"]),
        ("mediasync sync --if-busy=s", ["skip"]),
        ("mediasync status --source fi", ["films"]),
        ("mediasync sync fi", ["films"]),
        ("mediasync sync films fi", ["films"]),
        ("mediasync sync --library m", ["movies"]),
        ("mediasync list items --library films:", ["movies", "tvshows"]),
        ("mediasync show H", ["Heat"]),
        ("mediasync show h", ["Heat"]),
        ("mediasync show 'h", ["Heat"]),
        ("mediasync show films:movies/R", ["movies/Ronin\\ \\(1998\\)"]),
        ('mediasync show "films:movies/R', ["films:movies/Ronin (1998)"]),
        ("mediasync person robert", ["Robert\\ De\\ Niro", "Robert\\ Denard"]),
        ("mediasync find --with 'Al P", ["Al Pacino"]),
        ("mediasync find --with 'Al Pacino' --without rob", ["Robert\\ De\\ Niro", "Robert\\ Denard"]),
        ("mediasync list items --genre C", ["Crime"]),
        ("mediasync log --person films:name:al", ["al\\ pacino"]),
        ("mediasync show -- H", ["Heat"]),
        ("mediasync show --limit", []),
        ("mediasync restore films", []),
        ("mediasync nonsense H", []),
        ("mediasync status --source fi --", None),
        ("mediasync show zzz", []),
        ("mediasync --database /none/x.db show H", []),
        ("mediasync", []),
        ("", []),
    ],
)
@pytest.mark.usefixtures("synced")
def test_what_is_offered(capsys: pytest.CaptureFixture[str], line: str, answers: list[str] | None) -> None:
    found = offered(capsys, line)
    if answers is None:
        assert "--max-age" in found
    else:
        assert found == answers


def test_removed_items_are_offered_to_be_restored_and_to_nothing_else(
    run: Run, synced: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(library / "movies" / "Heat (1995)")
    assert run("sync", f"films=nfo:{library}").code == 0
    assert offered(capsys, "mediasync restore films:") == ["movies/Heat\\ \\(1995\\)"]
    assert offered(capsys, "mediasync show H") == []
    assert synced.exists()


def test_sources_of_the_configuration_are_offered_and_its_database_is_used(
    run: Run, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mediasync.toml").write_text(
        f'[database]\nurl = "own.db"\n[sources.films]\nfolder = "{library}"\n[sources.zebra]\nfolder = "z"\n'
    )
    assert offered(capsys, "mediasync sync ") == ["films", "zebra"]
    assert run("sync", "films").code == 0
    assert offered(capsys, "mediasync show R") == ["Ronin"]
    assert offered(capsys, f"mediasync show --database {tmp_path}/none.db R") == []
    Path("mediasync.toml").write_text("[sources")
    assert offered(capsys, "mediasync sync ") == []


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_without_a_database_it_is_silent(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "media.db"
    if content is not None:
        file.write_bytes(content)
    for url in (file, f"sqlite:///{file}", "postgresql://nobody@127.0.0.1:1/none", ""):
        assert offered(capsys, f"mediasync --database '{url}' show H") == []
    assert file.exists() is (content is not None)


def test_a_control_character_in_a_title_reaches_no_terminal(
    run: Run, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = library / "movies" / "Evil (2000)"
    folder.mkdir()
    title = "Evil &#10;rm -rf $(HOME) `x` \u202eolleh"
    (folder / "movie.nfo").write_text(f"<movie><title>{title}</title></movie>", encoding="utf-8")
    assert run("sync", f"films=nfo:{library}").code == 0
    assert offered(capsys, "mediasync show Ev") == ["Evil\\ rm\\ -rf\\ \\$\\(HOME\\)\\ \\`x\\`\\ olleh"]
    main(["completion", "--answer", "fish", "mediasync", "show", "Ev"])
    assert capsys.readouterr().out == "Evil rm -rf $(HOME) `x` olleh\tmovie\n"


def test_every_look_into_the_mirror_walks_an_index() -> None:
    indexes = {
        "TITLES": "media_item_by_title",
        "REMOVED_IDS": "media_item_missing",
        "NAMES": "person_by_name",
        "GENRES": "item_genre_by_name",
        "ITEM_IDS": "sqlite_autoindex_media_item_1",
        "PERSON_IDS": "sqlite_autoindex_person_1",
    }
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema_text())
        for name, index in indexes.items():
            statement = f"EXPLAIN QUERY PLAN {getattr(completions, name)}"
            steps = [row[3] for row in connection.execute(statement, {"low": "a", "high": "b", "limit": 5})]
            assert any(f"INDEX {index} " in f"{step} " for step in steps), (name, steps)
            assert not any("TEMP B-TREE" in step for step in steps), (name, steps)


def test_words_of_a_line() -> None:
    for line, words, quote in (
        ("a  b ", ["a", "b", ""], ""),
        ("a\\ b 'c \"d", ["a b", 'c "d'], "'"),
        ("a 'b'\"c\"d", ["a", "bcd"], ""),
        ("a ''", ["a", ""], ""),
        ("a\\", ["a"], ""),
    ):
        assert split(line) == (words, quote), line
    assert in_bash("é 'x'", "", "") == "é\\ \\'x\\'"


LIGHT = """
import sys
from mediasync.cli import main
main(sys.argv[1:])
slow = {"typer", "rich", "pydantic", "asyncio", "databases", "httpx", "mediasync.app"}
print(*sorted(slow & set(sys.modules)))
"""


def test_an_answer_imports_neither_the_parser_nor_the_library(run_process: Run, synced: Path) -> None:
    ended = run_process("completion", "--answer", "bash", "mediasync show H", code=LIGHT)
    assert (ended.out.splitlines(), ended.err) == (["Heat", ""], "")
    assert synced.exists()


def test_the_scripts_are_printed(run: Run) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = run("completion", shell).out
        assert "completion --answer" in script
        assert json.loads(run("completion", shell, "--json").out) == {"shell": shell, "script": script}
    assert run("completion", "cmd").code == 2


LINES = (
    "mediasync sou",
    "mediasync show He",
    "mediasync show films:movies/R",
    "mediasync person 'Al",
    "mediasync sync --if-busy w",
)
QUOTED = " ".join(f'"{line}"' for line in LINES)
BASH = f"""
source <(mediasync completion bash)
for line in {QUOTED}; do
    COMP_LINE=$line COMP_POINT=${{#line}} COMPREPLY=()
    _mediasync
    printf '%s\\n' "${{COMPREPLY[@]}}"
done
"""
ZSH = f"""
autoload -Uz compinit && compinit -u -D
source <(mediasync completion zsh)
compadd() {{ shift $(( ${{@[(i)-a]}} )); print -l -- "${{(@P)1}}" }}
for line in {QUOTED}; do
    words=(${{(z)line}}) CURRENT=${{#words}}
    _mediasync
done
"""
FISH = f"""
mediasync completion fish | source
for line in {QUOTED}
    complete -C $line | string split -f 1 \\t
end
"""
VALUES = ["source", "Heat", "films:movies/Ronin (1998)", "Al Pacino", "wait"]
IN_BASH = ["source", "Heat", "movies/Ronin\\ \\(1998\\)", "Al Pacino", "wait"]


@pytest.mark.parametrize(
    ("shell", "script", "shown"), [("bash", BASH, IN_BASH), ("zsh", ZSH, VALUES), ("fish", FISH, VALUES)]
)
def test_each_shell_completes(
    shell: str, script: str, shown: list[str], synced: Path, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "bin" / "mediasync"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mediasync "$@"\n')
    program.chmod(0o755)
    environment = process_environment({"MEDIASYNC_DATABASE": str(synced)})
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"
    done = subprocess.run(
        [shell, "-c", script], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == shown
    assert ROOT.exists()
