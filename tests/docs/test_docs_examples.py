"""Every example in the README and the docs runs, and prints the output shown."""

from __future__ import annotations

import ast
import asyncio
import atexit
import contextlib
import doctest
import importlib
import inspect
import io
import os
import pkgutil
import re
import shutil
import sqlite3
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import docs_pages
import pytest
from docs_pages import ROOT, Block
from support import forked, postgres

import mediasync
from mediasync import MediaSync
from mediasync.settings.source_kinds import SOURCE_KINDS

pytestmark = pytest.mark.slow

NOT_RUN = 33
"""The number of blocks that are marked as not run. Each says why; decide consciously to add one."""

SQLITE3 = """\
import sqlite3, sys
path, statement = [word for word in sys.argv[1:] if word != "-readonly"]
for row in sqlite3.connect(path).execute(statement):
    print("|".join("" if value is None else str(value) for value in row))
"""
"""A substitute for the program `sqlite3` if it is not installed, with what the pages need."""

PSQL = """\
import asyncio, pathlib, sys
import asyncpg
url, *words = [word for word in sys.argv[1:] if word not in ("-q", "-At")]
async def main():
    connection = await asyncpg.connect(url)
    for option, text in zip(words[::2], words[1::2]):
        for statement in (pathlib.Path(text).read_text() if option == "-f" else text).split(";"):
            for row in await connection.fetch(statement) if statement.strip() else ():
                print("|".join("" if value is None else str(value) for value in row))
    await connection.close()
asyncio.run(main())
"""
"""A substitute for the program `psql` if it is not installed, with what the pages need."""

POSTGRES_URL = re.compile(r"postgresql://(mediasync|media_reader):(\w+)@localhost/media\b")
"""The URL of a PostgreSQL database in the pages; the tests replace it with a database of their own."""

MARK = "=-=-= exit code="


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the contents of examples/library."""
    path = tmp_path_factory.mktemp("filled") / "media.db"

    async def fill() -> None:
        async with MediaSync(f"sqlite:///{path}") as ms:
            report = await ms.sync(f"nfo:{ROOT / 'examples' / 'library'}")
            assert not report.failed

    asyncio.run(fill())
    return path


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The text of the program ``mediasync``; it is started 150 times."""
    if not forked.IS_POSSIBLE:
        yield f'#!/bin/sh\nexec "{sys.executable}" -m mediasync "$@"\n'
        return
    root = str(Path(mediasync.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root, "LC_ALL": "C.UTF-8"}
    with forked.forking(tmp_path_factory.mktemp("forks"), environment) as text:
        yield text


@pytest.fixture
def folder(tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with examples/library, a separate home folder, and the command."""
    monkeypatch.setattr(SOURCE_KINDS, "_known", dict(SOURCE_KINDS._known))  # an example registers its own
    work, home, commands = tmp_path / "work", tmp_path / "home", tmp_path / "bin"
    for path in (work, home, commands):
        path.mkdir()
    shutil.copytree(ROOT / "examples" / "library", work / "examples" / "library")
    write_command(commands / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    write_command(commands / "mediasync", command)
    for name in ("datasette", "pytest"):
        write_command(commands / name, f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n')
    if shutil.which("sqlite3") is None:
        write_command(commands / "sqlite3", f"#!{sys.executable}\n{SQLITE3}")
    if shutil.which("psql") is None:
        write_command(commands / "psql", f"#!{sys.executable}\n{PSQL}")
    for name in [name for name in os.environ if name.startswith(("MEDIASYNC_", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("PATH", str(commands), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(mediasync.__file__).parent.parent), prepend=os.pathsep)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(home / "dlt"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(work)
    yield work
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(work)):
            del sys.modules[name]


def write_command(path: Path, text: str) -> None:
    """Write an executable program."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@cache
def roles() -> dict[str, str]:
    """Return the roles for those of the pages: the owner of a database, and a reader."""
    server = postgres.server()
    found = {name: f"{name}_test_{os.getpid()}" for name in ("mediasync", "media_reader")}
    for role in found.values():
        server.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        if not server.is_own:
            atexit.register(server.run, f"DROP ROLE IF EXISTS {role}")
    return found


def with_postgres(found: list[Block]) -> list[Block]:
    """Replace the database in a page's blocks with a new one on the tests' own server."""
    if not any(POSTGRES_URL.search(block.text) for block in found if block.reason is None):
        return found
    if reason := postgres.is_available():
        pytest.skip(reason)
    server, role = postgres.server(), roles()
    parts = urlsplit(server.new_database())
    name = parts.path.removeprefix("/")
    server.run(f"ALTER DATABASE {name} OWNER TO {role['mediasync']}")

    def own_url(match: re.Match[str]) -> str:
        place = f"{role[match[1]]}:{match[2]}@{parts.netloc.rpartition('@')[2]}"
        return urlunsplit(parts._replace(netloc=place))

    return [
        replace(
            block,
            text=re.sub(
                r"\bmedia_reader\b(?!_)", role["media_reader"], POSTGRES_URL.sub(own_url, block.text)
            ),
        )
        for block in found
    ]


class Page:
    """The state that the blocks of one page share while they run."""

    def __init__(self, runner: asyncio.Runner, filled: Path) -> None:
        self.runner = runner
        self.filled = filled
        self.module = types.ModuleType("__main__")

    def run(self, block: Block) -> str:
        """Run one block, and return its output."""
        if block.language == "python":
            return self.run_python(block)
        return run_sql(self.filled, block) if block.language == "sql" else ""

    def run_python(self, block: Block) -> str:
        source = "\n" * (block.line - 1) + block.text
        code = compile(source, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                self.runner.run(_await(code, self.module.__dict__))
            else:
                exec(code, self.module.__dict__)
        return printed.getvalue()


async def _await(code: types.CodeType, namespace: dict[str, object]) -> None:
    await eval(code, namespace)


def run_sql(filled: Path, block: Block) -> str:
    """Run statements on a filled database, and format rows like `sqlite3`: columns separated by ``|``."""
    lines: list[str] = []
    with contextlib.closing(sqlite3.connect(f"{filled.as_uri()}?mode=ro", uri=True)) as connection:
        for statement in re.sub(r"--.*", "", block.text).split(";"):
            if statement.strip():
                rows = connection.execute(statement).fetchall()
                lines += ["|".join("" if value is None else str(value) for value in row) for row in rows]
    return "\n".join(lines)


def check_console(block: Block) -> None:
    """Run the commands of a console block in one shell, and compare what each prints.

    The expected output is standard output alone, as on a terminal after progress was erased, or standard
    error followed by standard output.
    """
    commands: list[str] = []
    shown: list[list[str]] = []
    for line in block.text.splitlines():
        if block.language == "sh":
            commands.append(line)
            shown.append([docs_pages.ELLIPSIS])
        elif line.startswith("$ "):
            commands.append(line[2:])
            shown.append([])
        elif commands and commands[-1].endswith("\\") and not shown[-1]:
            commands[-1] += "\n" + line
        else:
            shown[-1].append(line)
    script = "".join(
        f"{command}\n_c=$?; echo; echo '{MARK}'$_c; echo '{MARK}' >&2; (exit $_c)\n" for command in commands
    )
    done = subprocess.run(
        ["bash", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    printed = re.split(rf"\n{MARK}(\d+)\n", done.stdout)
    told = done.stderr.split(f"{MARK}\n")
    for place, (command, lines) in enumerate(zip(commands, shown, strict=True)):
        answer, code, errors = printed[2 * place], printed[2 * place + 1], told[place]
        asked = place + 1 < len(commands) and commands[place + 1] == "echo $?"
        assert asked or code == "0", f"{block.where}: {command!r} ended with {code}:\n{answer}{errors}"
        expected = "\n".join(lines)
        if not docs_pages.same(answer, expected):
            compare(block, errors + answer, expected, command)


def compare(block: Block, printed: str, shown: str, command: str = "") -> None:
    """Compare the output with the output shown."""
    assert docs_pages.same(printed, shown), (
        f"{block.where}: {command}\n--- shown\n{shown.strip()}\n--- printed\n{printed.strip()}"
    )


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop that the blocks of a page share."""
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))
        yield runner


@pytest.mark.parametrize("page", docs_pages.pages(), ids=docs_pages.page_id)
def test_examples_of_a_page_run_and_print_what_is_shown(
    page: Path,
    folder: Path,
    filled: Path,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = Page(runner, filled)
    monkeypatch.setitem(sys.modules, "__main__", state.module)
    before: Block | None = None
    printed = ""
    for block in with_postgres(docs_pages.blocks(page)):
        if block.language == "output":
            assert before is not None, f"{block.where}: nothing is run before this output"
            compare(block, printed, block.text)
            before = None
            continue
        assert before is None or not printed, f"{before.where}: prints, but no output is shown:\n{printed}"
        before, printed = None, ""
        if block.title is not None:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.reason is not None:
            continue
        elif block.language in {"console", "sh"}:
            check_console(block)
        elif block.language in docs_pages.RUN:
            before, printed = block, state.run(block)
    assert before is None or not printed, f"{before.where}: prints, but no output is shown:\n{printed}"


def test_each_block_is_of_a_known_kind() -> None:
    for page in docs_pages.pages():
        for block in docs_pages.blocks(page):
            assert block.language in docs_pages.RUN | docs_pages.NOT_CODE, block.where


def test_blocks_that_are_not_run_are_counted() -> None:
    marked = [block for page in docs_pages.pages() for block in docs_pages.blocks(page) if block.reason]
    assert len(marked) == NOT_RUN, [f"{block.where}: {block.reason}" for block in marked]


def modules() -> list[str]:
    """Return the names of all modules of the package."""
    found = pkgutil.walk_packages(mediasync.__path__, "mediasync.")
    return ["mediasync", *(module.name for module in found if not module.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str, folder: Path) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize(
    ("printed", "shown", "equal"),
    [
        ("one\ntwo\n", "one\ntwo", True),
        ("one\ntwo\n", "one", False),
        ("one\ntwo\nthree\n", "one\n…\nthree", True),
        ("one\n", "one\n…", True),
        ("took 1.2 s", "took … s", True),
        ("took 1.2 m", "took … s", False),
        ("one\ntwo", "one…", False),
    ],
)
def test_what_is_shown_is_compared(printed: str, shown: str, equal: bool) -> None:
    assert docs_pages.same(printed, shown) is equal
