"""Tolerant access to decoded JSON: a field of the wrong type is a problem of its item, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediasync.errors import SourceUnreadable

_FLAGS: Final = {"0": False, "1": True, "false": False, "true": True}
_INTEGER: Final = re.compile(r"\s*[+-]?\d{1,30}\s*", re.ASCII)
_LARGEST: Final = 1e300
_LARGEST_INTEGER: Final = 2**63 - 1
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_NUMBER: Final = re.compile(r"\s*[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?\s*", re.ASCII)


class JsonRecord:
    """A JSON object that is read field by field.

    A field that is absent or null is None, or an empty list. So is a field of the wrong type, which is noted
    in `problems`.

    Args:
        data: the object.
        problems: the list to which problems are added; all records inside this one share it.
        where: how problems name this object: ``People[3]``.

    Attributes:
        data: the object.
        problems: the problems found so far.
        where: how problems name this object.

    Example:
        >>> record = JsonRecord({"Name": "Heat", "Year": "1995", "Genres": "Crime"})
        >>> record.text("Name"), record.integer("Year"), record.texts("Genres")
        ('Heat', 1995, [])
        >>> record.problems
        ['Genres is a text, not a list']
    """

    __slots__ = ("data", "problems", "where")

    def __init__(self, data: Mapping[str, Any], problems: list[str] | None = None, where: str = "") -> None:
        self.data = data
        self.problems: list[str] = [] if problems is None else problems
        self.where = where

    def text(self, key: str) -> str | None:
        """Return a text. A number is returned as its digits, and noted."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        self._note(key, value, "a text")
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def title(self, key: str) -> str | None:
        """Return a text, or None with a note if no database can store it (NUL, a lone surrogate)."""
        value = self.text(key)
        if value is not None and _UNSTORABLE.search(value):
            self._note(key, value, "one that can be stored")
            return None
        return value

    def key(self, key: str) -> str | None:
        """Return an id as text; servers give a text or an integer. An empty id is None."""
        value = self.data.get(key)
        if isinstance(value, str) and not _UNSTORABLE.search(value):
            return value.strip() or None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self._note(key, value, "an id")
        return None

    def integer(self, key: str) -> int | None:
        """Return a 64-bit integer, which may also be given as digits or as a number without a fraction."""
        value = self.data.get(key)
        number: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        elif isinstance(value, str):
            if _INTEGER.fullmatch(value):
                number = int(value)
            elif not value.strip():
                return None
        if number is not None and abs(number) <= _LARGEST_INTEGER:
            return number
        if value is not None:
            self._note(key, value, "an integer" if number is None else "a 64-bit integer")
        return None

    def number(self, key: str) -> float | None:
        """Return a number, which may also be given as a text of digits."""
        value = self.data.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) <= _LARGEST:
                return float(value)
        elif isinstance(value, str):
            if _NUMBER.fullmatch(value):
                return float(value)
            if not value.strip():
                return None
        if value is not None:
            self._note(key, value, "a usable number")
        return None

    def flag(self, key: str) -> bool | None:
        """Return true or false, which may also be given as 0 or 1, or as a text."""
        value = self.data.get(key)
        if isinstance(value, bool):
            return value
        if isinstance(value, int | str) and (known := _FLAGS.get(str(value).strip().lower())) is not None:
            return known
        if value is not None:
            self._note(key, value, "true or false")
        return None

    def record(self, key: str) -> JsonRecord | None:
        """Return the object in a field."""
        value = self.data.get(key)
        if isinstance(value, Mapping):
            return JsonRecord(value, self.problems, self._path(key))
        if value is not None:
            self._note(key, value, "an object")
        return None

    def records(self, key: str) -> list[JsonRecord]:
        """Return a list of objects. Entries that are not objects are left out and noted."""
        found: list[JsonRecord] = []
        path = self._path(key)
        for index, value in self._entries(key):
            where = f"{path}[{index}]"
            if isinstance(value, Mapping):
                found.append(JsonRecord(value, self.problems, where))
            else:
                self.problems.append(f"{where} is {_kind(value)}, not an object")
        return found

    def texts(self, key: str) -> list[str]:
        """Return a list of texts. Entries that are not texts are left out and noted."""
        found: list[str] = []
        for index, value in self._entries(key):
            if isinstance(value, str):
                found.append(value)
            else:
                self.problems.append(f"{self._path(key)}[{index}] is {_kind(value)}, not a text")
        return found

    def mapping(self, key: str) -> dict[str, str]:
        """Return the texts in an object by name: provider ids, for instance. Integers become texts."""
        inner = self.record(key)
        if inner is None:
            return {}
        return {name: value for name in inner.data if (value := inner.key(name)) is not None}

    def note(self, problem: str) -> None:
        """Note a problem of this object."""
        self.problems.append(f"{self.where}: {problem}" if self.where else problem)

    def _entries(self, key: str) -> Iterator[tuple[int, Any]]:
        value = self.data.get(key)
        if isinstance(value, list):
            yield from enumerate(value)
        elif value is not None:
            self._note(key, value, "a list")

    def _note(self, key: str, value: Any, wanted: str) -> None:
        self.problems.append(f"{self._path(key)} is {_kind(value)}, not {wanted}")

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


def expect_record(value: Any, source_id: str, request: str) -> JsonRecord:
    """Return an answer that must be an object.

    Args:
        value: the decoded answer.
        source_id: the source that the error names.
        request: what was asked for: ``GET /Items``.

    Raises:
        SourceUnreadable: if it is not an object.
    """
    if isinstance(value, Mapping):
        return JsonRecord(value)
    raise SourceUnreadable(
        source_id, f"{request} was answered with {_kind(value)} where an object was expected"
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"
