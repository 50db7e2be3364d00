"""JSON lines: one whole item or person on each line, as the models of the package write and read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, Final

from pydantic import TypeAdapter

from mediasync.models import AnyMediaItem, Person
from mediasync.repositories.exporting import LastChange

ITEM: Final[TypeAdapter[AnyMediaItem]] = TypeAdapter(AnyMediaItem)
PERSON: Final = TypeAdapter(Person)
COMPUTED: Final = {"cast", "crew"}
"""The fields that repeat the credits, and are left out."""

_BREAKS: Final = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""The line breaks of Unicode that JSON need not escape, but that some programs end a line at."""


def item_line(item: AnyMediaItem) -> bytes:
    """Return the line of an item, with its line break.

    Example:
        >>> from mediasync.models import Movie
        >>> item_line(Movie(remote_id="1", title="Heat"))[:48]
        b'{"media_type":"movie","remote_id":"1","title":"H'
    """
    return _line(ITEM.dump_json(item, exclude=COMPUTED, warnings=False))


def item_schema() -> dict[str, Any]:
    """Return the JSON schema of a line of items."""
    schema = ITEM.json_schema(mode="serialization")
    for model in schema["$defs"].values():
        if model.get("properties", {}).keys() >= COMPUTED:
            model["properties"] = {k: v for k, v in model["properties"].items() if k not in COMPUTED}
            model["required"] = [name for name in model["required"] if name not in COMPUTED]
    return schema


def person_schema() -> dict[str, Any]:
    """Return the JSON schema of a line of people."""
    return PERSON.json_schema(mode="serialization")


def removed_schema() -> dict[str, Any]:
    """Return the JSON schema of a line that says what no longer exists."""
    texts = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "entity": {"enum": ["item", "person"]},
            "id": texts,
            "what": {"enum": ["removed", "merged"]},
            "removed_at": {"type": ["string", "null"], "format": "date-time"},
            "change": {"type": "integer"},
        },
        "required": ["entity", "id", "what", "removed_at", "change"],
        "additionalProperties": False,
    }


def _line(data: bytes) -> bytes:
    for character, escape in _BREAKS:
        if character in data:
            data = data.replace(character, escape)
    return data + b"\n"


class JsonlWriter:
    """Writes ``items.jsonl``, ``people.jsonl``, their schemas and, after a change, ``removed.jsonl``.

    Args:
        open_file: opens a new file.
        tells_removed: whether there is a file for what no longer exists.
    """

    def __init__(self, open_file: Callable[[str], BinaryIO], *, tells_removed: bool) -> None:
        self._stack = ExitStack()
        schemas = {"items": item_schema(), "people": person_schema()}
        if tells_removed:
            schemas["removed"] = removed_schema()
        self._files = {name: self._stack.enter_context(open_file(f"{name}.jsonl")) for name in schemas}
        self.rows = dict.fromkeys(schemas, 0)
        for name, schema in schemas.items():
            with open_file(f"{name}.schema.json") as file:
                file.write(json.dumps(schema, indent=2).encode() + b"\n")

    def add_items(self, items: Sequence[AnyMediaItem]) -> None:
        self._write("items", list(map(item_line, items)))

    def add_people(self, people: Sequence[Person]) -> None:
        self._write("people", [_line(PERSON.dump_json(person, warnings=False)) for person in people])

    def add_removed(self, changes: Sequence[LastChange]) -> None:
        self._write("removed", [_line(json.dumps(_removed(change)).encode()) for change in changes])

    def _write(self, name: str, lines: list[bytes]) -> None:
        self._files[name].write(b"".join(lines))
        self.rows[name] += len(lines)

    def finish(self, change: int) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()


class JsonlStream:
    """Writes the lines of items to a function, and nothing else.

    Args:
        write: takes the text.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.rows = {"items": 0}

    def add_items(self, items: Sequence[AnyMediaItem]) -> None:
        self._write(b"".join(map(item_line, items)).decode())
        self.rows["items"] += len(items)

    def add_people(self, people: Sequence[Person]) -> None:
        return

    def add_removed(self, changes: Sequence[LastChange]) -> None:
        raise AssertionError("a stream of items cannot say what no longer exists")

    def finish(self, change: int) -> None:
        return

    def close(self) -> None:
        return


def _removed(change: LastChange) -> dict[str, Any]:
    return {
        "entity": str(change.entity),
        "id": change.entity_id,
        "what": str(change.what),
        "removed_at": change.at.isoformat() if change.at else None,
        "change": change.number,
    }
