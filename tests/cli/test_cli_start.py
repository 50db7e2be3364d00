"""What the program imports before it answers: the time to start is the time of its imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_runs import Run

from mediasync.cli.parser import COMMANDS, app

IMPORTED = """
import json, sys
from mediasync.cli import main
code = main(sys.argv[1:])
print(json.dumps(list(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def modules(run_process: Run, *arguments: object) -> set[str]:
    """Return the modules that a command has imported at its end."""
    ended = run_process(*arguments, code=IMPORTED)
    assert ended.code == 0, ended.err
    return set(json.loads(ended.err))


def test_the_version_needs_no_parser(run_process: Run) -> None:
    imported = modules(run_process, "--version")
    assert imported.isdisjoint({"typer", "rich", "pydantic", "asyncio", "sqlite3", "databases", "sqlalchemy"})
    assert "mediasync.cli.parser" not in imported


def test_the_help_needs_no_command(run_process: Run) -> None:
    imported = modules(run_process, "--help")
    assert "typer" in imported
    assert imported.isdisjoint(
        {"rich.console", "pydantic", "asyncio", "sqlite3", "databases", "sqlalchemy", "httpx"}
    )
    assert imported.isdisjoint(f"mediasync.cli.{command}" for command in COMMANDS)


def test_the_help_of_a_command_needs_no_other(run_process: Run) -> None:
    imported = modules(run_process, "show", "--help")
    assert {"mediasync.cli.show"} == imported & {f"mediasync.cli.{command}" for command in COMMANDS}


def test_showing_an_item_needs_neither_databases_nor_what_syncs(run_process: Run, synced: Path) -> None:
    imported = modules(run_process, "show", "heat", "--json")
    assert "mediasync.cli.show" in imported
    assert imported.isdisjoint({"databases", "sqlalchemy", "httpx", "asyncpg"})
    rooms = ("mediasync.syncing", "mediasync.copying", "mediasync.backends", "mediasync.settings.source")
    assert not [name for name in imported if name.startswith(rooms)]


PUBLIC = """
import sys
import mediasync
from mediasync import *
for name in mediasync.__all__:
    assert eval(name) is getattr(mediasync, name)
print(*sorted({"databases", "sqlalchemy", "httpx", "asyncpg", "typer", "rich"} & set(sys.modules)))
"""


def test_the_public_names_need_no_driver_and_no_client(run_process: Run) -> None:
    ended = run_process(code=PUBLIC)
    assert (ended.out, ended.err) == ("\n", "")


def commands() -> dict[str, Any]:
    """Return the parsers of the commands, by name."""
    program: Any = typer.main.get_command(app)
    return dict(program.commands)


def test_the_commands_are_listed_in_order() -> None:
    assert list(commands()) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_program_says_of_a_command_is_what_it_says_of_itself(name: str) -> None:
    assert commands()[name].load().help.partition("\n\n")[0].replace("\n", " ") == COMMANDS[name]


def test_config_alone_shows_its_help(run: Run, home: Path) -> None:
    ended = run("config")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == run("config", "--help").out
    assert "mediasync config [OPTIONS] COMMAND" in ended.out
