"""The API pages have an entry for every public name, and every member that an entry shows is documented."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import pydoc
import re
import typing
from collections.abc import Iterator
from typing import Any, Final

import pytest
from docs_pages import DOCS
from pydantic import BaseModel

import mediasync
from mediasync import MediaItem, errors, events, ids, testing
from mediasync.backends import base
from mediasync.models import Model

API: Final = DOCS / "reference" / "api"
_ENTRY: Final = re.compile(r"^## (\S+)\n\n::: ([\w.]+)$", re.MULTILINE)
SERVICES: Final = {"ms.media": "MediaService", "ms.people": "PeopleService", "ms.library": "LibraryService"}


def entries() -> list[tuple[str, str]]:
    """Return (heading, path) of each entry of the API pages."""
    return [entry for page in sorted(API.glob("*.md")) for entry in _ENTRY.findall(page.read_text("utf-8"))]


def own(module: Any, kind: type | tuple[type, ...]) -> set[str]:
    """Return the public names of this kind that a module defines."""
    return {
        name
        for name, value in vars(module).items()
        if isinstance(value, kind) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def public_names() -> set[str]:
    """Return all names that must have an entry."""
    findings = {finding.__name__ for finding in typing.get_args(base.Finding)}
    return {
        *mediasync.__all__,
        *testing.__all__,
        *own(events, type),
        *own(errors, type),
        *own(ids, type(ids.make_id)),
        *findings,
        "Backend",
        "Stored",
        *SERVICES,
    }


def test_every_public_name_has_one_entry() -> None:
    headings = [heading for heading, _ in entries()]
    assert public_names() <= set(headings)
    assert len(headings) == len(set(headings))


def test_every_directive_stands_below_its_heading() -> None:
    directives = sum(page.read_text("utf-8").count("\n::: ") for page in API.glob("*.md"))
    assert directives == len(entries())


@pytest.mark.parametrize(("heading", "path"), entries(), ids=lambda text: text)
def test_an_entry_shows_what_its_heading_names(heading: str, path: str) -> None:
    assert path.rpartition(".")[2] == SERVICES.get(heading, heading)
    assert pydoc.locate(path) is not None


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class or a base of this package defines."""
    for base_class in cls.__mro__:
        if base_class.__module__.startswith("mediasync"):
            for name, value in vars(base_class).items():
                if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                    yield name, value


def words(cls: type) -> set[str]:
    """Return the words of the docstrings of a class and its bases, without their examples."""
    text = "\n".join(base_class.__doc__ or "" for base_class in cls.__mro__ if base_class is not object)
    return set(re.findall(r"\w+", re.sub(r"(?m)^.*>>>.*$", "", text)))


def fields(cls: type) -> set[str]:
    """Return the names of a class's fields, without those that say by their name that they are only read."""
    if issubclass(cls, BaseModel):
        read = cls.filled_on_reading if issubclass(cls, Model) else set()
        fixed = {"media_type"} if issubclass(cls, MediaItem) else set()
        return set(cls.model_fields) - read - fixed
    if dataclasses.is_dataclass(cls):
        return {field.name for field in dataclasses.fields(cls) if not field.name.startswith("_")}
    return set()


CLASSES: Final = [
    value
    for _, path in entries()
    if inspect.isclass(value := pydoc.locate(path)) and not issubclass(value, enum.Enum)
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_members_are_documented(cls: type) -> None:
    assert inspect.getdoc(cls)
    described = words(cls)
    assert not [name for name, value in members(cls) if not (inspect.getdoc(value) or name in described)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_fields_are_documented(cls: type) -> None:
    assert not fields(cls) - words(cls)
