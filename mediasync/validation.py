"""Validation of models before they are saved.

Pydantic validates a model when it is created, but not when a field is assigned or a list in it is changed. So
a save validates again, by the same declarations, and strictly: a text is not converted to a number. Having
pydantic validate each field costs as much as creating the model. So the types of all values are compared as
one tuple, and tuples that passed are remembered.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mediasync.models import Credit, Model, Person, Rating
from mediasync.vocabulary import Completeness

M = TypeVar("M", bound=Model)

MAX_ID_BYTES: Final = 1_600
"""The maximum length of a full id. An index of PostgreSQL takes 2,704 bytes for each row."""

MAX_NAME_BYTES: Final = 1_000
"""The maximum length of an indexed text: a person's name, a genre, an id at a provider."""

MAX_PROVIDER_BYTES: Final = 100
"""The maximum length of a provider's name."""

_MODELS_WITHIN: Final[dict[str, type[Model]]] = {"credits": Credit, "ratings": Rating, "person": Person}
_MAPPINGS: Final = frozenset({"images", "provider_ids"})
_KNOWN_TYPES: Final = 4_096
_BYTES_PER_CHARACTER: Final = 4

_repr: Final = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


class InvalidValue(ValueError):
    """A field of a model has an invalid value. The message names the field."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How models of one class are validated.

    Attributes:
        names: the fields that are saved.
        values: returns their values from a model's ``__dict__``.
        media_type: the only media type that the class may have; None for classes that are not items.
        known: the tuples of types that passed.
    """

    names: tuple[str, ...]
    values: Callable[[dict[str, Any]], tuple[Any, ...]]
    media_type: str | None
    known: set[tuple[type, ...]] = field(default_factory=set)


@lru_cache(maxsize=256)
def _form(cls: type[Model]) -> _Form:
    fields = cls.model_fields
    names = tuple(name for name in fields if name not in cls.filled_on_reading)
    default = fields["media_type"].default if "media_type" in fields else None
    return _Form(names, itemgetter(*names), default if isinstance(default, str) else None)


def checked(model: M) -> M:
    """Return *model* if its fields are valid, or a copy with converted values.

    Models inside its fields are not validated; `find_flaw` does that.

    Raises:
        InvalidValue: if a field has an invalid value.
        KeyError: if a field is missing.
    """
    cls = type(model)
    form = _form(cls)
    values = model.__dict__
    types = tuple(map(type, form.values(values)))
    if types in form.known and (form.media_type is None or values["media_type"] == form.media_type):
        return model
    meant = model.model_copy()
    for name in form.names:
        if flaw := _assign(meant, name, values[name]):
            raise InvalidValue(flaw)
    if types == tuple(map(type, form.values(meant.__dict__))):
        if len(form.known) >= _KNOWN_TYPES:
            form.known.clear()
        form.known.add(types)
    return meant


def find_flaw(model: Model, where: str = "") -> str | None:
    """Return what is wrong with a model or a model inside it, naming the field; None if nothing is.

    Args:
        model: one of this package's models.
        where: the path of the field that contains the model, ending in a dot; empty for the outermost model.
    """
    meant = model.model_copy()
    for name in _form(type(model)).names:
        if name not in model.__dict__:
            return f"{where}{name} is missing"
        value = model.__dict__[name]
        if flaw := _assign(meant, name, value):
            return f"{where}{flaw}"
        if name in _MODELS_WITHIN and value is not None:
            within = enumerate(value) if isinstance(value, list) else ((None, value),)
            for position, one in within:
                inner = f"{where}{name}" if position is None else f"{where}{name}[{position}]"
                expected = _MODELS_WITHIN[name]
                if not isinstance(one, expected):
                    return f"{inner} should be a {expected.__name__}, not {shown(one)}"
                if flaw := find_flaw(one, f"{inner}."):
                    return flaw
    return None


def _assign(model: BaseModel, name: str, value: Any) -> str | None:
    """Assign a value to a field in pydantic's strict mode, and return what is wrong with it, if anything."""
    if name == "completeness" and isinstance(value, str) and value in {*Completeness}:
        value = Completeness(value)
    elif name in {"credits", "ratings"} and isinstance(value, list):
        model.__dict__[name] = value  # not validated here: pydantic would turn a dict into a model
        return None
    try:
        model.__pydantic_validator__.validate_assignment(model, name, value, strict=True)
    except ValidationError as error:
        return _reason(error.errors(include_url=False)[0])
    except Exception as error:  # raised by the value itself
        return f"{name} has a value that cannot be read: {shown(error)}"
    return None


def _reason(error: ErrorDetails) -> str:
    name, *within = error["loc"]
    where = str(name)
    if within[-1:] == ["[key]"]:
        where = f"a key of {name}"
    elif within and (isinstance(within[0], int) or name in _MAPPINGS):
        where = f"{name}[{within[0]!r}]"  # otherwise the location is a member of a union
    message = error["msg"]
    if message.startswith("Input "):
        return f"{where} {message.removeprefix('Input ')}, not {shown(error['input'])}"
    return f"{where}: {message.removeprefix('Value error, ')}"


def shown(value: Any) -> str:
    """Return a short form of a value for a message."""
    try:
        return _repr.repr(value)
    except Exception as error:  # raised by the value itself
        return f"a {type(value).__name__} ({type(error).__name__} on showing it)"


def check_length(where: str, text: str, most: int) -> None:
    """Raise `InvalidValue` if *text* is longer than *most* bytes of UTF-8."""
    if len(text) * _BYTES_PER_CHARACTER <= most:
        return
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most:
        raise InvalidValue(f"{where} is {size:,} bytes long, and at most {most:,} can be stored")


def check_provider_ids(where: str, ids: Iterable[tuple[str, str]]) -> None:
    """Raise `InvalidValue` if a provider's name, or an id there, is too long to be indexed."""
    for provider, value in ids:
        check_length(f"a key of {where}", provider, MAX_PROVIDER_BYTES)
        check_length(f"{where}[{provider!r}]", value, MAX_NAME_BYTES)
