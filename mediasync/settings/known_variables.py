"""Environment variables that look like those of mediasync, but that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from mediasync.settings.environment import (
    CLIENT_ID_VARIABLE,
    CONFIG_VARIABLE,
    DATABASE_VARIABLE,
    DEBUG_VARIABLE,
    FILE_MODE_VARIABLE,
    NOTIFY_URL_VARIABLE,
    PLEX_TV_VARIABLE,
    SETTINGS,
    WEB_TOKEN_VARIABLE,
    source_variable,
)
from mediasync.settings.suggestions import suggestion

_PREFIX: Final = "MEDIASYNC_"
_OF_PROGRAM: Final = (
    DATABASE_VARIABLE,
    FILE_MODE_VARIABLE,
    CONFIG_VARIABLE,
    CLIENT_ID_VARIABLE,
    DEBUG_VARIABLE,
    NOTIFY_URL_VARIABLE,
    WEB_TOKEN_VARIABLE,
    PLEX_TV_VARIABLE,
)

# Variables that Kubernetes sets for a service called mediasync, and those of the tests of this project.
_OF_OTHERS: Final = re.compile(
    r"MEDIASYNC_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT|PORT_\d+_(?:TCP|UDP)(?:_\w+)?|VENV|TEST_\w+)"
)
_ALIKE: Final = 0.5
"""How similar a name must be to a source's for a suggestion, from 0 to 1."""


def unread_variables(environ: Mapping[str, str], source_ids: Iterable[str] | None) -> list[str]:
    """Return a message for each environment variable ``MEDIASYNC_…`` that nothing reads.

    Args:
        environ: the environment variables.
        source_ids: all sources; None if they are not known. Then a variable of an unknown source is not
            reported.

    Example:
        >>> unread_variables({"MEDIASYNC_HOME_TOEKN": "x"}, None)
        ['MEDIASYNC_HOME_TOEKN is not a variable that mediasync reads; did you mean MEDIASYNC_HOME_TOKEN?']
    """
    ids = None if source_ids is None else list(source_ids)
    found = []
    for name, value in environ.items():
        if name.startswith(_PREFIX) and value and not _OF_OTHERS.fullmatch(name):
            own_name, is_file = name.removesuffix("_FILE"), name.endswith("_FILE")
            if flaw := _flaw(own_name, ids):
                text, meant = flaw
                hint = f"; did you mean {meant}{'_FILE' * is_file}?" if meant else ""
                found.append(f"{name} {text}{hint}")
    return found


def _flaw(name: str, source_ids: Sequence[str] | None) -> tuple[str, str | None] | None:
    """Return what is wrong with a variable and which one may be meant, or None if it is read."""
    if name in _OF_PROGRAM:
        return None
    setting = next((one for one in SETTINGS if name.endswith(f"_{one.upper()}")), None)
    if setting is None:
        return "is not a variable that mediasync reads", _meant(name)
    source = name.removeprefix(_PREFIX).removesuffix(setting.upper()).removesuffix("_")
    if not source:
        example = source_variable(source_ids[0] if source_ids else "home", setting)
        return "does not say which source it is for", example
    if source_ids is None:
        return None
    variables = {source_id.upper().replace("-", "_"): source_id for source_id in source_ids}
    if source in variables:
        return None
    there_are = ", ".join(source_ids) or "none"
    near = get_close_matches(source, variables, 1, _ALIKE)
    meant = source_variable(variables[near[0]], setting) if near else None
    return f"is not read, because there is no such source; there are: {there_are}", meant


def _meant(name: str) -> str | None:
    words = name.removeprefix(_PREFIX).lower().split("_")
    own = {variable.removeprefix(_PREFIX).lower(): variable for variable in _OF_PROGRAM}
    if meant := suggestion("_".join(words), own):
        return own[meant]
    for start in range(1, len(words)):
        if meant := suggestion("_".join(words[start:]), SETTINGS):
            return source_variable("_".join(words[:start]), meant)
    return None
