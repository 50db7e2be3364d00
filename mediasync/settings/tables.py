"""What is wrong with a table of the configuration file, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mediasync.settings.suggestions import unknown_setting

M = TypeVar("M", bound=BaseModel)


def read_table(name: str, table: Any, model: type[M], example: str) -> tuple[M, list[str]]:
    """Return the settings of a table, and what is wrong with it; the defaults if anything is.

    Args:
        name: the name of the table.
        table: as it stands in the configuration file.
        model: what it is read into.
        example: one of its lines, for somebody who has not written a table.
    """
    if not isinstance(table, Mapping):
        return model(), [f"{name} is not a table: write [{name}], and {example} below it"]
    try:
        return model.model_validate(table), []
    except ValidationError as error:
        return model(), [f"[{name}] {flaw}" for flaw in flaws_of_table(error, model.model_fields)]


def flaws_of_table(error: ValidationError, known: Iterable[str]) -> list[str]:
    """Return what is wrong with a table, without repeating a value, which may be a secret.

    Args:
        error: of the model that the table was read into.
        known: the names of its settings.
    """
    names = list(known)
    found = []
    for flaw in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(flaw["loc"][0]) if flaw["loc"] else ""
        message = flaw["msg"].removeprefix("Value error, ")
        if flaw["type"] == "extra_forbidden":
            message = unknown_setting(name, names)
        found.append(f"{name}{'' if message.startswith('is ') or not name else ':'} {message}".strip())
    return list(dict.fromkeys(found))
