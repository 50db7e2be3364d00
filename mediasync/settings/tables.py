"""What is wrong with a table of the configuration file, in words."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from mediasync.settings.suggestions import unknown_setting


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
