"""The reference agrees with the code: names, signatures, fields, columns, options, exit codes, links."""

from __future__ import annotations

import inspect
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import docs_pages
import pytest
from docs_pages import DOCS, ROOT, first_codes, section, table

from mediasync import (
    Completeness,
    Credit,
    Library,
    MediaSync,
    Movie,
    Person,
    Source,
    errors,
)
from mediasync.backends.nfo.folders import naming
from mediasync.database import schema
from mediasync.services import MediaService
from mediasync.settings import file as configuration
from mediasync.settings.source import SourceConfig, parse_source
from mediasync.vocabulary import SourceKind
from tools import http_api_reference, schema_reference

PYTHON: Final = DOCS / "reference" / "python.md"
DATABASE: Final = DOCS / "reference" / "database.md"
COMMAND_LINE: Final = DOCS / "reference" / "command-line.md"
IDS: Final = DOCS / "reference" / "ids.md"
CONFIGURATION: Final = DOCS / "reference" / "configuration.md"
NFO: Final = DOCS / "reference" / "nfo.md"
LAWS: Final = DOCS / "explanation" / "laws.md"


# Pages and links


@pytest.mark.parametrize("page", docs_pages.pages(), ids=docs_pages.page_id)
def test_links_lead_somewhere(page: Path) -> None:
    for link in docs_pages.links(page):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.is_file(), f"{link} of {docs_pages.page_id(page)} leads nowhere"
        assert path.is_relative_to(ROOT)
        if anchor:
            assert anchor in docs_pages.anchors(path), f"{link}: there is no such heading"


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link).resolve() for link in docs_pages.links(index)}
    assert set(DOCS.rglob("*.md")) - {index} <= linked


def test_readme_has_the_two_commands() -> None:
    commands = [
        line.removeprefix("$ ")
        for block in docs_pages.blocks(ROOT / "README.md")
        if block.language == "console"
        for line in block.text.splitlines()
    ]
    for command in ("python3 examples/run.py", "python3 tests/run.py"):
        assert command in commands
        assert (ROOT / command.removeprefix("python3 ")).is_file()


def test_readme_shows_the_commands_of_the_example() -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / "examples" / "run.py").read_text(encoding="utf-8")
    commands = re.findall(r'^ +\[("[^\]]+)\],$', script, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = re.findall(r'"([^"]+)"', command)
        line = " ".join(f'"{word}"' if " " in word else word for word in words)
        assert f"$ mediasync {line}\n" in shown


def test_readme_is_what_the_package_shows() -> None:
    assert 'readme = "README.md"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_figures_have_their_place() -> None:
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    assert text.index("<!-- figures -->") < text.index("<!-- /figures -->")


# Python


def tree(text: str) -> dict[str, str]:
    """Return a drawn tree as each name's parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines():
        match = re.match(r"([│├└─ ]*)(\w+)", line)
        if match and (path or match[2] == "MediaSyncError"):
            depth = len(match[1]) // 4
            path = [*path[:depth], match[2]]
            if depth:
                parents[match[2]] = path[depth - 1]
    return parents


def test_the_tree_of_errors() -> None:
    classes = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception) and name != "MediaSyncError"
    }
    real = {name: value.__mro__[1].__name__ for name, value in classes.items()}
    [block] = [block for block in docs_pages.blocks(PYTHON) if block.language == "text"]
    assert tree(block.text) == real
    drawn = inspect.getdoc(errors) or ""
    assert tree(drawn[drawn.index("    MediaSyncError") :].replace("\n    ", "\n").strip()) == real


CHANGES: Final = {"stays": "old", "becomes exactly this list": "new", "is emptied": "empty"}


async def test_what_credits_and_completeness_mean() -> None:
    """The table of the page, row by row, over each state that an item may be in."""
    old, new = "Old", "New"

    def movie(names: list[str] | None, completeness: str | None) -> Movie:
        given = None
        if names is not None:
            given = [Credit(person=Person(name=name), person_type="actor") for name in names]
        known = None if completeness is None else Completeness(completeness)
        return Movie(remote_id="1", title="Film", credits=given, completeness=known)

    async def outcome(stored: Movie, given: Movie) -> str:
        async with MediaSync("sqlite:///:memory:") as ms:
            await ms.media.save_source(Source(id="home", kind=SourceKind.NFO))
            await ms.media.save_library(Library(id="films", source_id="home", kind="movies"))
            for item in (stored, given):
                await ms.media.save_media_item(item, library_id="films", source_id="home")
            names = [credit.person.name for credit in await ms.people.find_by_media_item("home:1")]
            return {(old,): "old", (new,): "new", (): "empty"}[tuple(names)]

    rows = table(section(PYTHON, "What `credits` and `completeness` mean"))
    seen = set()
    for credits_cell, completeness_cell, effect in rows:
        names = {"`None`": None, "a list": [new], "`[]`": []}[credits_cell.partition(" (")[0]]
        codes = re.findall(r'`"?(\w+)"?`', completeness_cell) or ["None", *Completeness]
        for code in codes:
            seen.add((credits_cell.partition(" (")[0], str(code)))
            given = movie(names, None if code == "None" else str(code))
            over_full = await outcome(movie([old], "full"), given)
            over_preview = await outcome(movie([old], "preview"), given)
            if "unless a full one is stored" in effect:
                assert (over_full, over_preview) == ("old", "new"), (credits_cell, code)
            else:
                [change] = [change for words, change in CHANGES.items() if effect.startswith(words)]
                assert {over_full, over_preview} == {change}, (credits_cell, code)
    assert len(seen) == 3 * (1 + len(Completeness))


# Ids and names


def test_examples_of_names_of_sources() -> None:
    for given, expected in (
        (row[0].strip("`"), row[1].strip("`")) for row in table(section(IDS, "Names of sources"))
    ):
        assert parse_source(given).id == expected


# NFO


def test_names_of_libraries() -> None:
    text = NFO.read_text(encoding="utf-8")
    text = text[text.index("<!-- names -->") : text.index("<!-- /names -->")]
    movies, shows = text.split("for shows")
    documented = dict.fromkeys(re.findall(r"`([^`]+)`", movies), "movies")
    documented |= dict.fromkeys(re.findall(r"`([^`]+)`", shows), "shows")
    assert documented == naming.LIBRARY_NAMES


# Database


def real_views() -> dict[str, list[str]]:
    """Return the columns of the views that a new database has."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.schema_text())
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for (name,) in names
        }


def test_columns_of_the_views() -> None:
    views = real_views()
    headings = re.findall(r"^### (\w+)$", section(DATABASE, "The views"), re.MULTILINE)
    assert headings == list(views)
    for view, columns in views.items():
        assert first_codes(section(DATABASE, view)) == columns, view


def test_descriptions_of_the_views_are_made_from_the_schema() -> None:
    page = DATABASE.read_text(encoding="utf-8")
    assert page == schema_reference.page_with(schema_reference.made_part(), page), (
        "run python dev.py reference"
    )


def test_the_endpoints_are_those_of_the_document() -> None:
    page = http_api_reference.PAGE.read_text(encoding="utf-8")
    assert page == http_api_reference.page_with(http_api_reference.made_part(), page), (
        "run python dev.py reference"
    )


def test_types_of_the_columns_on_sqlite() -> None:
    stored = {"text": {str}, "time": {str}, "integer": {int}, "real": {float, int}}
    values = schema_reference.examples()
    for view in schema_reference.described_views(schema.schema_text()):
        for column in view.columns:
            value = values[view.name].get(column.name)
            assert value is None or type(value) in stored[column.kind], (view.name, column.name)


def test_a_comment_that_says_nothing_of_a_column_is_refused() -> None:
    for line, message in (
        ("--   id  number  its id", "unknown type 'number'"),
        ("--   id  text  its id\n-- more", "not a column's: '-- more'"),
    ):
        with pytest.raises(ValueError, match=message):
            schema_reference.described_views(f"-- Notes.\n--\n{line}\nCREATE VIEW notes AS\nSELECT 1 AS id;")
    [view] = schema_reference.described_views("-- N.\n--\n--   id  text  its id\nCREATE VIEW notes AS\n")
    with pytest.raises(ValueError, match=r"no value of notes\.id"):
        list(schema_reference.lines_of(view, {"notes": {}}))


def test_names_of_the_tables() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.schema_text())
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    assert set(re.findall(r"`(\w+)`", section(DATABASE, "The tables"))) == names


def test_the_changelog_names_the_views() -> None:
    text = (DOCS / "changelog.md").read_text(encoding="utf-8")
    for view in real_views():
        assert f"`{view}`" in text


INDEXED: Final = {
    "sources": ["id"],
    "libraries": ["id"],
    "media_items": ["id", "library_id", "parent_id", "imdb_id", "tmdb_id", "tvdb_id"],
    "people": ["id", "name"],
    "media_people": ["media_item_id", "person_id"],
    "credits_flat": ["media_item_id", "title", "person_id", "person_name"],
    "filmographies": ["person_id", "person_name"],
    "show_cast": ["show_id", "show_title", "person_id", "person_name"],
    "external_ids": ["media_item_id", "provider = 'imdb' AND value"],
    "genres": ["media_item_id"],
    "ratings": ["media_item_id"],
    "images": ["media_item_id"],
    "sync_runs": ["id"],
    "sync_run_libraries": ["run_id", "library_id"],
}


@pytest.mark.parametrize(("view", "column"), [(view, column) for view in INDEXED for column in INDEXED[view]])
def test_columns_that_the_page_calls_indexed_have_an_index(view: str, column: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.schema_text())
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE {column} = 'x'").fetchall()
    # One row, the ids of one person, and the rows of the answer after they were grouped.
    small = {"SCAN schema_version", "SCAN listed", "SCAN filmographies", "SCAN show_cast"}
    assert not [step for *_, step in plan if step.startswith("SCAN") and step not in small]


# Command line


def commands() -> dict[str, Any]:
    """Return the commands of the program, and the program itself, by name."""
    import typer

    from mediasync.cli.parser import app

    program: Any = typer.main.get_command(app)
    found = {name: deferred.load() for name, deferred in program.commands.items()}
    groups = {name: group.commands for name, group in found.items() if hasattr(group, "commands")}
    for name, commands in groups.items():  # a command stands for all its sub-commands
        options = {tuple(one.opts): one for command in commands.values() for one in command.params}
        found[name] = SimpleNamespace(params=list(options.values()))
    return {"mediasync": program, **found}


def test_options_of_the_commands() -> None:
    for name, command in commands().items():
        # "sync" and others are headings twice: the first is the command's, the second that of its JSON.
        documented = [
            tuple(code.partition(" ")[0] for code in re.findall(r"`([^`]+)`", row[0]))
            for row in table(section(COMMAND_LINE, name))
        ]
        real = [
            tuple(parameter.opts)
            for parameter in command.params
            if parameter.param_type_name == "option" and parameter.name != "help"
        ]
        assert sorted(documented) == sorted([*real, ("--help", "-h")]), name


def test_every_command_is_documented_with_its_json() -> None:
    text = COMMAND_LINE.read_text(encoding="utf-8")
    top = re.findall(r"^## ([\w-]+)$", text, re.MULTILINE)
    assert [name for name in top if name.islower()] == list(commands())
    answers = re.findall(r"^### ([\w-]+)$", section(COMMAND_LINE, "JSON"), re.MULTILINE)
    assert answers == [*list(commands())[1:], "Errors"]


def test_checks_of_the_doctor() -> None:
    from mediasync.library.doctor_checks import CHECKS

    listed = table(section(DOCS / "how-to" / "check-cast-data.md", "The checks"))
    assert [(row[0].strip("`"), row[1]) for row in listed] == [(each.name, each.severity) for each in CHECKS]


def test_exit_codes() -> None:
    from mediasync.cli.errors import ExitCode

    assert [int(code) for code in first_codes(section(COMMAND_LINE, "Exit codes"))] == sorted(
        {*ExitCode, 129, 130, 143}
    )


def test_variables_of_the_environment() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "mediasync").rglob("*.py"))
    named = set(re.findall(r"\bMEDIASYNC_(?:WEB_TOKEN|[A-Z]+(?:_(?:FILE|ID|MODE|TV|URL))?)\b", text))
    assert set(first_codes(section(COMMAND_LINE, "Environment"))) == named
    of_sources = [f"MEDIASYNC_<SOURCE>_{setting.upper()}" for setting in configuration.SETTINGS]
    assert sorted(first_codes(section(CONFIGURATION, "The environment"))) == sorted(of_sources)


def test_keys_of_the_configuration_file() -> None:
    keys = first_codes(section(CONFIGURATION, "sources"))
    assert sorted(keys) == sorted(set(SourceConfig.model_fields) - {"id"})


# Laws


def test_the_tests_that_hold_the_laws_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", LAWS.read_text(encoding="utf-8"))
    for path, name in named:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^ *(?:async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


def test_each_law_names_a_test() -> None:
    text = LAWS.read_text(encoding="utf-8")
    laws = re.split(r"^## (?=\d+\. )", text, flags=re.MULTILINE)[1:]
    assert [law.partition(".")[0] for law in laws] == [str(number) for number in range(1, 15)]
    for law in laws:
        assert "`tests/" in law, law.partition("\n")[0]


# Figures in the explanations


def test_sizes_of_a_group() -> None:
    from mediasync.database.postgres.engine import PostgresEngine
    from mediasync.database.sqlite.engine import SQLiteEngine
    from mediasync.saving import store, writer

    text = " ".join((DOCS / "explanation" / "writing.md").read_text(encoding="utf-8").split())
    assert (
        f"up to {writer.MAX_GROUP_ITEMS:,} items ({store.ITEMS_PER_PART:,} on PostgreSQL), "
        f"{writer.MAX_GROUP_CREDITS:,} credits ({store.CREDITS_PER_PART:,}) or half a second" in text
    )
    assert PostgresEngine.has_concurrent_writers
    assert not SQLiteEngine.has_concurrent_writers
    assert writer.MAX_GROUP_SECONDS == 0.5
    assert f"in parts of {store.ITEMS_PER_PART} items, or about {store.CREDITS_PER_PART:,} credits" in text


def test_sizes_of_a_stream() -> None:
    defaults = {
        name: p.default for name, p in inspect.signature(MediaService.save_media_items).parameters.items()
    }
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    assert f"`concurrency` items ({defaults['concurrency']:,})" in text
    assert f"({defaults['orphan_window']:,}) that wait" in text


def test_the_gap_between_groups() -> None:
    from mediasync.database.sqlite import engine as sqlite

    text = (DOCS / "explanation" / "sqlite.md").read_text(encoding="utf-8")
    assert f"a gap of {sqlite._GAP * 1000:g} ms" in text
    assert f"{'.'.join(map(str, sqlite.MINIMUM_VERSION[:2]))} or newer" in DATABASE.read_text(
        encoding="utf-8"
    )


def test_the_rows_of_the_benchmarks() -> None:
    from benchmarks.rows import ROWS

    text = section(DOCS / "performance.md", "What is measured")
    documented = first_codes(text)
    for row in ROWS:
        assert any(row.name.startswith(code.rstrip("…")) for code in documented) or row.name == "loader", (
            row.name
        )
