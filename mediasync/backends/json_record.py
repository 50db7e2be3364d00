"""Tolerant access to decoded JSON: one wrong field is a problem of that item, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mediasync.errors import SourceUnreadable

_INTEGER: Final = re.compile(r"\s*[+-]?\d{1,30}\s*", re.ASCII)
_LARGEST: Final = 1e300
_LARGEST_INTEGER: Final = 2**63 - 1
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_NUMBER: Final = re.compile(r"\s*[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?\s*", re.ASCII)


class JsonRecord:
    """A JSON object that is read field by field.

    A field that is absent or null is None (or an empty list). What is of a wrong type is noted in `problems`.

    Args:
        data: the object.
        problems: where problems are noted, shared by all records inside this one.
        where: how problems name this object: ``People[3]``.

    Attributes:
        data: as given.
        problems: as given.
        where: as given.

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
        """Return a text. A number is taken as its digits, and noted."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        self._note(key, value, "a text")
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def title(self, key: str) -> str | None:
        """Return a text, or None, noted, for one that no database stores (NUL, half of a surrogate pair)."""
        value = self.text(key)
        if value is not None and _UNSTORABLE.search(value):
            self._note(key, value, "one that can be stored")
            return None
        return value

    def key(self, key: str) -> str | None:
        """Return an id as text; servers give it as a text or an integer. An empty one is None."""
        value = self.data.get(key)
        if isinstance(value, str) and not _UNSTORABLE.search(value):
            return value.strip() or None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self._note(key, value, "an id")
        return None

    def integer(self, key: str) -> int | None:
        """Return an integer of 64 bits, which may be given as digits or as a number without a fraction."""
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
            self._note(key, value, "an integer" if number is None else "an integer of 64 bits")
        return None

    def number(self, key: str) -> float | None:
        """Return a number, which may be given as a text of digits."""
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
            self._note(key, value, "a number that can be")
        return None

    def flag(self, key: str) -> bool | None:
        """Return a truth value, which may be given as 0 or 1, or as such a text."""
        value = self.data.get(key)
        if isinstance(value, bool):
            return value
        if isinstance(value, int | str) and (known := _FLAGS.get(str(value).strip().lower())) is not None:
            return known
        if value is not None:
            self._note(key, value, "true or false")
        return None

    def record(self, key: str) -> JsonRecord | None:
        """Return the object inside this one."""
        value = self.data.get(key)
        if isinstance(value, Mapping):
            return JsonRecord(value, self.problems, self._path(key))
        if value is not None:
            self._note(key, value, "an object")
        return None

    def records(self, key: str) -> list[JsonRecord]:
        """Return a list of objects; what is none is left out and noted."""
        found: list[JsonRecord] = []
        path = self._path(key)
        for index, value in self._entries(key):
            where = f"{path}[{index}]"
            if isinstance(value, Mapping):
                found.append(JsonRecord(value, self.problems, where))
            else:
                self.problems.append(f"{where} is {_kind(value)}, not an object")
        return found

    def has_records(self, key: str) -> bool:
        """Tell whether the field is there and is a list of objects and of nothing else.

        Only then an empty list says that there is nothing.
        """
        value = self.data.get(key)
        return isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value)

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; what is none is left out and noted."""
        found: list[str] = []
        for index, value in self._entries(key):
            if isinstance(value, str):
                found.append(value)
            else:
                self.problems.append(f"{self._path(key)}[{index}] is {_kind(value)}, not a text")
        return found

    def mapping(self, key: str) -> dict[str, str]:
        """Return the texts of an object by their names (provider ids, say); integers are taken as texts."""
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
        source_id: named by the error.
        request: what was asked: ``GET /Items``.

    Raises:
        SourceUnreadable: if it is none.
    """
    if isinstance(value, Mapping):
        return JsonRecord(value)
    raise SourceUnreadable(
        source_id, f"{request} was answered with {_kind(value)} where an object was expected"
    )


_FLAGS: Final = {"0": False, "1": True, "false": False, "true": True}


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
