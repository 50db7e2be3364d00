"""What ``schema.sql`` says of the public views: their columns, and the comments that describe both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mediasync.database import schema
from mediasync.database.tables import view_columns

TYPES: Final = {"text", "integer", "real", "time"}

_VIEW: Final = re.compile(r"((?:^--.*\n)+)CREATE VIEW (\w+) AS\b", re.MULTILINE)
_COLUMN: Final = re.compile(r"--   (\w+) +(\w+) +(.+)")
_SAME: Final = re.compile(r"--   as in (\w+)")
_CONTINUED: Final = re.compile(r"-- {4,}(.+)")
_EXAMPLE: Final = re.compile(r"(.+); e\.g\. `(.+)`")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class ColumnComment:
    """What the schema says of a column.

    Attributes:
        name: its name.
        kind: its type, one of `TYPES`.
        meaning: what it is, in Markdown.
        example: a value; None if one is to be taken from the examples.
        shown_in: the view whose values are the examples: its own, or the one whose columns it has.
    """

    name: str
    kind: str
    meaning: str
    example: str | None
    shown_in: str


@dataclass(frozen=True, slots=True)
class ViewComment:
    """What the schema says of a view.

    Attributes:
        name: its name.
        text: what it shows, in Markdown: paragraphs.
        columns: its columns in order.
    """

    name: str
    text: tuple[str, ...]
    columns: tuple[ColumnComment, ...]


def described_views(text: str) -> list[ViewComment]:
    """Return the views of a schema as its comments describe them.

    Raises:
        ValueError: if a line of a comment cannot be understood.
    """
    found: dict[str, ViewComment] = {}
    for match in _VIEW.finditer(text):
        name = match[2]
        prose: list[str] = [""]
        columns: list[ColumnComment] = []
        for line in match[1].splitlines():
            if same := _SAME.fullmatch(line):
                columns += found[same[1]].columns
            elif column := _COLUMN.fullmatch(line):
                columns.append(_column(name, column[1], column[2], column[3]))
            elif columns and (more := _CONTINUED.fullmatch(line)):
                last = columns[-1]
                columns[-1] = _column(name, last.name, last.kind, f"{last.meaning} {more[1]}")
            elif columns:
                raise ValueError(
                    f"the comment of the view {name} has a line that is not a column's: {line!r}"
                )
            elif line == "--":
                prose.append("")
            else:
                prose[-1] = f"{prose[-1]} {line.removeprefix('-- ')}".strip()
        paragraphs = tuple(filter(None, prose))
        found[name] = ViewComment(name, paragraphs, tuple(columns))
    return list(found.values())


def _column(view: str, name: str, kind: str, text: str) -> ColumnComment:
    if kind not in TYPES:
        raise ValueError(f"the column {view}.{name} has the unknown type {kind!r}")
    own = _EXAMPLE.fullmatch(text)
    return ColumnComment(name, kind, own[1] if own else text, own[2] if own else None, view)


@dataclass(frozen=True, slots=True)
class View:
    """A public view, described in plain text.

    Attributes:
        name: its name.
        description: what its rows are; empty if the schema does not say it.
        columns: its columns in order, each with its description, which may be empty.
    """

    name: str
    description: str
    columns: Mapping[str, str]


def describe_views() -> list[View]:
    """Return the views in the order of the schema, with the comments before them."""
    comments = {view.name: view for view in described_views(schema.schema_text())}
    found = []
    for name, columns in view_columns().items():
        comment = comments.get(name, ViewComment(name, (), ()))
        texts = {column.name: _text_of(column) for column in comment.columns}
        description = _plain(" ".join(comment.text))
        found.append(View(name, description, {each: texts.get(each, "") for each in columns}))
    return found


def _text_of(column: ColumnComment) -> str:
    example = "" if column.example is None else f"; e.g. {column.example}"
    return _plain(f"{column.meaning}{example}")


def _plain(text: str) -> str:
    """Return a text without the marks of Markdown."""
    return _LINK.sub(r"\1", text).replace("`", "").strip()
