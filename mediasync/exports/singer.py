"""Singer messages: a schema for each stream, a record for each item and person, and the state at the end.

A removed item is a record with its id and ``_sdc_deleted_at``. The state is the number of the last
change that the export contains.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from mediasync.errors import ConfigurationError
from mediasync.exports.tables import ITEMS, PEOPLE, Columns, Kind, values_of
from mediasync.models import AnyMediaItem, Person
from mediasync.repositories.exporting import LastChange
from mediasync.vocabulary import EntityKind

STREAMS: Final[dict[str, Columns[Any]]] = {"items": ITEMS, "people": PEOPLE}
DELETED_AT: Final = "_sdc_deleted_at"
CHANGE: Final = "change"
"""The key of the number in the state."""

_SCHEMAS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TEXT: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.TIME: {"type": "string", "format": "date-time"},
    Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
    Kind.PAIRS: {"type": "object", "additionalProperties": {"type": "string"}},
    Kind.RATINGS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "value": {"type": "number"},
                "votes": {"type": ["null", "integer"]},
            },
        },
    },
}
_KEYS: Final = ["id"]
_CREDITS: Final = {
    "type": ["null", "array"],
    "items": {
        "type": "object",
        "properties": {
            "person_id": {"type": "string"},
            "person_type": {"type": "string"},
            "role": {"type": ["null", "string"]},
            "sort_order": {"type": "integer"},
        },
    },
}
_STREAM_OF: Final = {EntityKind.ITEM: "items", EntityKind.PERSON: "people"}


def schema_of(stream: str) -> dict[str, Any]:
    """Return the JSON schema of the records of a stream."""
    properties = {
        name: {
            **_SCHEMAS[kind],
            "type": ["null", _SCHEMAS[kind]["type"]],
        }  # a deletion has nothing but the id
        for name, (kind, _) in STREAMS[stream].items()
    }
    properties["id"] = {"type": "string"}
    if stream == "items":
        properties["credits"] = _CREDITS
    properties[DELETED_AT] = {"type": ["null", "string"], "format": "date-time"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def read_state(path: Path) -> int:
    """Return the number of the change in a file that a target wrote: a state, or messages of which the last
    state counts.

    Raises:
        ConfigurationError: if the file cannot be read, or holds no state of such an export.

    Example:
        >>> read_state(Path("state.json"))  # doctest: +SKIP
        1042
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"the state {path} cannot be read: {reason}. Leave --state out for the first export"
        ) from error
    for text in ("\n".join(lines), *reversed(lines)):
        try:
            found = json.loads(text)
        except ValueError:
            continue
        value = found.get("value", found) if isinstance(found, dict) else None
        number = value.get(CHANGE) if isinstance(value, dict) else None
        if isinstance(number, int) and not isinstance(number, bool):
            return number
    raise ConfigurationError(
        f'the state {path} holds no {{"{CHANGE}": NUMBER}}, which such an export ends with'
    )


class SingerWriter:
    """Writes messages, one on each line.

    Args:
        write: takes the text.
        close: called at the end.
    """

    def __init__(self, write: Callable[[str], object], close: Callable[[], None]) -> None:
        self._write = write
        self.close = close
        self.rows = dict.fromkeys(STREAMS, 0)
        self.rows["removed"] = 0
        self._extracted = _text(datetime.now(UTC))
        for stream in STREAMS:
            self._send(type="SCHEMA", stream=stream, schema=schema_of(stream), key_properties=_KEYS)

    def _send(self, **message: Any) -> None:
        self._write(json.dumps(message, default=_text) + "\n")

    def _record(self, stream: str, values: dict[str, Any]) -> None:
        self._send(type="RECORD", stream=stream, record=values, time_extracted=self._extracted)

    def add_items(self, items: Sequence[AnyMediaItem]) -> None:
        for item in items:
            values = dict(zip(ITEMS, values_of(ITEMS, item), strict=True))
            values["credits"] = [
                {
                    "person_id": credit.person.id,
                    "person_type": str(credit.person_type),
                    "role": credit.role,
                    "sort_order": credit.sort_order,
                }
                for credit in item.credits or ()
            ]
            self._record("items", values)
        self.rows["items"] += len(items)

    def add_people(self, people: Sequence[Person]) -> None:
        for person in people:
            self._record("people", dict(zip(PEOPLE, values_of(PEOPLE, person), strict=True)))
        self.rows["people"] += len(people)

    def add_removed(self, changes: Sequence[LastChange]) -> None:
        for change in changes:
            at = _text(change.at) if change.at else self._extracted
            self._record(_STREAM_OF[change.entity], {"id": change.entity_id, DELETED_AT: at})
        self.rows["removed"] += len(changes)

    def finish(self, change: int) -> None:
        self._send(type="STATE", value={CHANGE: change})
        self.close()


def _text(value: date | datetime) -> str:
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    return value.isoformat()
