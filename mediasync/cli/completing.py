"""Answers a shell that asks how a command line may go on.

It starts faster than the program itself: it imports no parser. What commands and options there are stands in
``commands.json``, which is made from them (``python dev.py reference``).
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mediasync.database.sqlite.glance import glance
from mediasync.display import safe
from mediasync.errors import MediaSyncError
from mediasync.repositories import completions
from mediasync.settings.database import database_url, sqlite_path
from mediasync.settings.file_search import find_configuration

COMMANDS_FILE: Final = Path(__file__).with_name("commands.json")
_MOST: Final = 50
_LAST: Final = "\U0010ffff"
_BREAKS: Final = re.compile(r"[=:]")
_TO_ESCAPE: Final = re.compile(r"([^\w@%+,./:=~-])")

Answer = tuple[str, str]
"""A word, and what it is."""

_STATEMENTS: Final = {
    "sources": (completions.SOURCES,),
    "libraries": (completions.LIBRARY_TITLES, completions.LIBRARY_IDS),
    "library ids": (completions.LIBRARY_IDS,),
    "items": (completions.TITLES, completions.ITEM_IDS),
    "item ids": (completions.ITEM_IDS,),
    "removed": (completions.REMOVED_IDS,),
    "people": (completions.NAMES, completions.PERSON_IDS),
    "person ids": (completions.PERSON_IDS,),
    "genres": (completions.GENRES,),
}


def main(arguments: Sequence[str]) -> int:
    """Print how a command line may go on, one answer a line, and return 0, whatever happens.

    Args:
        arguments: ``bash LINE``, the line up to the cursor; or ``zsh WORD...`` or ``fish WORD...``, the words
            up to the cursor, of which the last one is being typed.
    """
    shell, *given = arguments
    # Nobody can read an error while typing a command. The command itself reports it.
    with suppress(OSError, ValueError, MediaSyncError, sqlite3.Error):
        if shell == "bash":
            words, quote = split(given[0] if given else "")
            lines = [in_bash(value, words[-1], quote) for value, _ in answers(words, os.environ)]
        else:
            # The last word still has its quotes and backslashes.
            words = [*given[:-1], split(given[-1])[0][-1]] if given else []
            lines = [f"{safe(value)}\t{safe(what)}" for value, what in answers(words, os.environ)]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    return 0


def split(line: str) -> tuple[list[str], str]:
    """Return the words of a line as bash divides it, the last one as far as it is typed, and its open quote.

    Example:
        >>> split("mediasync show 'Heat (19")
        (['mediasync', 'show', 'Heat (19'], "'")
        >>> split("mediasync show ")
        (['mediasync', 'show', ''], '')
    """
    words, word, quote, begun = [], "", "", False
    characters = iter(line)
    for character in characters:
        if character == "\\" and quote != "'":
            word, begun = word + next(characters, ""), True
        elif quote:
            quote, word = ("", word) if character == quote else (quote, word + character)
        elif character in "'\"":
            quote, begun = character, True
        elif character.isspace():
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    return [*words, word], quote


def in_bash(value: str, typed: str, quote: str) -> str:
    """Return a value as bash puts it in the place of what was typed.

    Without an open quote, bash takes a colon for the end of a word and replaces what follows it.
    """
    value = safe(value)
    if quote:
        return value
    ends = [match.end() for match in _BREAKS.finditer(typed)]
    start = ends[-1] if ends and value.startswith(typed[: ends[-1]]) else 0
    return _TO_ESCAPE.sub(r"\\\1", value[start:])


def answers(words: Sequence[str], environ: Mapping[str, str]) -> list[Answer]:
    """Return how a command line may go on.

    Args:
        words: the words, the first of them the program, the last one being typed.
        environ: the environment variables, which may name the database and the configuration.
    """
    if len(words) < 2:
        return []
    known = json.loads(COMMANDS_FILE.read_text(encoding="utf-8"))
    line = _Line.read(words[1:-1], known)
    typed = words[-1]
    if line.waiting is not None:
        return list(_values(line.waiting, typed, line, environ))
    if typed.startswith("--") and "=" in typed:
        name, _, begun = typed.partition("=")
        kind = line.options.get(name, {}).get("value")
        return [(f"{name}={value}", what) for value, what in _values(kind, begun, line, environ)]
    if typed.startswith("-") and not line.only_arguments:
        return [(name, one["help"]) for name, one in line.options.items() if name.startswith(typed)]
    if line.commands:
        return [(name, one["help"]) for name, one in line.commands.items() if name.startswith(typed)]
    return list(_values(line.argument, typed, line, environ))


@dataclass
class _Line:
    """What the words before the one that is being typed say.

    Attributes:
        options: the options that may follow.
        commands: the commands that may follow.
        arguments: the kinds of the arguments of the command.
        many: whether there may be any number of the last one.
        given: the values of options.
        places: how many arguments there are.
        waiting: the kind of the value that an option waits for.
        only_arguments: whether ``--`` has ended the options.
    """

    options: Mapping[str, Any]
    commands: Mapping[str, Any]
    arguments: Sequence[Any] = ()
    many: bool = False
    given: dict[str, str] = field(default_factory=dict)
    places: int = 0
    waiting: Any = None
    only_arguments: bool = False

    @classmethod
    def read(cls, words: Sequence[str], known: Mapping[str, Any]) -> _Line:
        line = cls(known["options"], known["commands"])
        name = ""
        for word in words:
            if line.waiting is not None:
                line.given[name], line.waiting = word, None
            elif word == "--" or line.only_arguments or not word.startswith("-"):
                line._take(word)
            else:
                name, equals, value = word.partition("=")
                kind = line.options.get(name, {}).get("value")
                if equals:
                    line.given[name] = value
                else:
                    line.waiting = kind
        return line

    def _take(self, word: str) -> None:
        if word == "--" and not self.only_arguments:
            self.only_arguments = True
        elif word in self.commands:
            entry = self.commands[word]
            self.options, self.commands = entry["options"], entry["commands"]
            self.arguments, self.many = entry["arguments"], entry["many"]
        else:
            self.places += 1

    @property
    def argument(self) -> Any:
        """The kind of the argument that is being typed; None if there is no further one."""
        if self.places < len(self.arguments):
            return self.arguments[self.places]
        return self.arguments[-1] if self.arguments and self.many else None


def _values(kind: Any, typed: str, line: _Line, environ: Mapping[str, str]) -> Iterator[Answer]:
    """Yield the values of one kind that begin with what is typed: choices, or what the mirror holds."""
    if isinstance(kind, list):
        yield from ((choice, "") for choice in kind if choice.startswith(typed))
        return
    statements = _STATEMENTS.get(kind or "")
    if statements is None:
        return
    found: dict[str, str] = {}
    configuration = _configuration(line.given.get("--config"), environ)
    if kind == "sources":
        tables = configuration.get("sources")
        names = tables if isinstance(tables, dict) else {}
        found |= {name: "in mediasync.toml" for name in names if name.startswith(typed)}
    file = _database(line.given.get("--database"), environ, configuration)
    if file is not None and file.is_file():
        asked = [
            (statement, {"low": low, "high": low + _LAST, "limit": _MOST})
            for low in dict.fromkeys(change(typed) for change in _CASES)
            for statement in statements
        ]
        with suppress(sqlite3.Error):
            for value, what in glance(file, asked):
                found.setdefault(value, what or "")
    yield from list(found.items())[:_MOST]


_CASES: Final[tuple[Callable[[str], str], ...]] = (str, str.capitalize, str.title)
"""Names are looked up as they are typed, and with capital letters."""


def _configuration(option: str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        path = find_configuration(option, environ)
        if path is None:
            return {}
        return {"path": path, **tomllib.loads(path.read_text(encoding="utf-8"))}
    except (MediaSyncError, OSError, ValueError):
        return {}


def _database(
    option: str | None, environ: Mapping[str, str], configuration: Mapping[str, Any]
) -> Path | None:
    """Return the SQLite file of the mirror; None if it is another database."""
    url = database_url(option, environ)
    if url is not None:
        return sqlite_path(url)
    table = configuration.get("database")
    given = table.get("url") if isinstance(table, dict) else None
    if isinstance(given, str):
        found = sqlite_path(database_url(given, {}) or "")
        return None if found is None else configuration["path"].parent / found
    import platformdirs

    return platformdirs.user_data_path("mediasync", appauthor=False) / "mediasync.db"
