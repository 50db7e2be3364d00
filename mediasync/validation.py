"""What a model must hold when it is saved, whatever was assigned to its fields after it was made.

Pydantic checks a model when it is made, and not when a field is assigned or a list of it is changed. So a
save checks again, by the same declarations, and strictly: a number is not made of a text. Checking each
field by pydantic costs as much as making the model. So the types of the values are looked at as one tuple,
and a tuple that was found to be right is remembered.
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
"""How long an id may be, source and all: PostgreSQL's indexes hold 2,704 bytes for a row."""

MAX_NAME_BYTES: Final = 1_000
"""How long a text may be that is indexed: the name of a person or a genre, an id at a provider."""

MAX_PROVIDER_BYTES: Final = 100
"""How long the name of a provider may be."""

_MODELS_WITHIN: Final[dict[str, type[Model]]] = {"credits": Credit, "ratings": Rating, "person": Person}
_MAPPINGS: Final = frozenset({"images", "provider_ids"})
_KNOWN_TYPES: Final = 4_096
_BYTES_PER_CHARACTER: Final = 4

_repr: Final = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


class InvalidValue(ValueError):
    """A field of a model holds what it may not; the message names the field."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How models of one class are looked at.

    Attributes:
        names: of the fields that are saved.
        values: gets their values from a model's ``__dict__``.
        media_type: the only one that the class may have; None for a class without such a rule.
        known: the types of values that were found to be right.
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
    """Return *model* if its fields hold what they may, or a copy with the values that were meant.

    Models within its fields are not looked into: `find_flaw` does that.

    Raises:
        InvalidValue: if a field holds what it may not.
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
    """Return what is wrong with a model or a model within it, naming the field; None if nothing is.

    Args:
        model: one of this package's models.
        where: the field that holds it, with a dot at its end; empty for the outermost.
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
    """Assign a value to a field of a model as strictly as can be, and return what is wrong with it, if so."""
    if name == "completeness" and isinstance(value, str) and value in {*Completeness}:
        value = Completeness(value)
    elif name in {"credits", "ratings"} and isinstance(value, list):
        model.__dict__[name] = value  # not looked into: of what is no model, pydantic would make one
        return None
    try:
        model.__pydantic_validator__.validate_assignment(model, name, value, strict=True)
    except ValidationError as error:
        return _reason(error.errors(include_url=False)[0])
    except Exception as error:  # a strange object's own
        return f"{name} holds what cannot be read: {shown(error)}"
    return None


def _reason(error: ErrorDetails) -> str:
    name, *within = error["loc"]
    where = str(name)
    if within[-1:] == ["[key]"]:
        where = f"a key of {name}"
    elif within and (isinstance(within[0], int) or name in _MAPPINGS):
        where = f"{name}[{within[0]!r}]"  # else it is a member of a union
    message = error["msg"]
    if message.startswith("Input "):
        return f"{where} {message.removeprefix('Input ')}, not {shown(error['input'])}"
    return f"{where}: {message.removeprefix('Value error, ')}"


def shown(value: Any) -> str:
    """Return a value as a message shows it, cut short."""
    try:
        return _repr.repr(value)
    except Exception as error:  # a strange object's own
        return f"a {type(value).__name__} ({type(error).__name__} on showing it)"


def check_length(where: str, text: str, most: int) -> None:
    """Raise `InvalidValue` if *text* is longer than *most* bytes of UTF-8."""
    if len(text) * _BYTES_PER_CHARACTER <= most:
        return
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most:
        raise InvalidValue(f"{where} is {size:,} bytes long, and at most {most:,} can be stored")


def check_provider_ids(where: str, ids: Iterable[tuple[str, str]]) -> None:
    """Raise `InvalidValue` if the name of a provider, or an id there, is too long to be indexed."""
    for provider, value in ids:
        check_length(f"a key of {where}", provider, MAX_PROVIDER_BYTES)
        check_length(f"{where}[{provider!r}]", value, MAX_NAME_BYTES)
