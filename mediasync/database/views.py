"""What ``schema.sql`` says of the public views: their columns, and the comments that describe both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mediasync.database import schema
from mediasync.database.tables import view_columns

_DESCRIBED: Final = re.compile(r"((?:^--[^\n]*\n)*)^CREATE VIEW (\w+) AS", re.MULTILINE)
_SAME: Final = re.compile(r"as in (\w+)$")
_COLUMN: Final = re.compile(r"(\w+) +\w+ +(\S.*)$")
_INDENT: Final = 2
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class View:
    """A public view.

    Attributes:
        name: its name.
        description: what its rows are, in plain text; empty if the schema does not say it.
        columns: its columns in order, each with its description in plain text, which may be empty.
    """

    name: str
    description: str
    columns: Mapping[str, str]


def describe_views() -> list[View]:
    """Return the views in the order of the schema, with the comments before them.

    Such a comment is a text, and then, after an empty line, the columns: each indented, with a name, a type
    and a meaning, whose further lines are indented more. ``as in NAME`` stands for the columns of an earlier
    view.
    """
    comments = {name: comment for comment, name in _DESCRIBED.findall(schema.schema_text())}
    found: dict[str, View] = {}
    for name, columns in view_columns().items():
        lines = [line.removeprefix("--") for line in comments[name].splitlines()]
        described = dict(_columns(lines, found))
        found[name] = View(name, _description(lines), {each: described.get(each, "") for each in columns})
    return list(found.values())


def _description(lines: Sequence[str]) -> str:
    return _plain(" ".join(line.strip() for line in lines if not _is_indented(line)))


def _columns(lines: Sequence[str], earlier: Mapping[str, View]) -> Iterator[tuple[str, str]]:
    name, meaning = "", ""
    for line in filter(_is_indented, lines):
        if same := _SAME.match(line.strip()):
            yield from earlier[same[1]].columns.items()
        elif (column := _COLUMN.match(line.strip())) and _depth(line) == _INDENT + 1:
            if name:
                yield name, _plain(meaning)
            name, meaning = column[1], column[2]
        else:
            meaning += f" {line.strip()}"
    if name:
        yield name, _plain(meaning)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_indented(line: str) -> bool:
    return _depth(line) > _INDENT


def _plain(text: str) -> str:
    """Return a text without the marks of Markdown."""
    return _LINK.sub(r"\1", text).replace("`", "").strip()
