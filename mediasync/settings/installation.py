"""The identifier by which servers know this installation."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import CLIENT_ID_VARIABLE, read_setting

FILE_NAME: Final = "client-id"

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NAMESPACE: Final = uuid.UUID("5b0c0f8e-6f0f-4a3b-9d0e-2f6d1c7d9a51")


def find_client_id(environ: Mapping[str, str], folder: Path | None = None) -> str:
    """Return the identifier of this installation. It is generated if there is none.

    The identifier is a random UUID in the file ``client-id``, which the first process creates. If the file
    can be neither read nor created, the identifier is derived from the names of the host and of the user's
    home (without a home, from the user's number), and so stays the same as long as those do.

    Args:
        environ: ``MEDIASYNC_CLIENT_ID`` overrides the file.
        folder: the folder of the file; by default the user's data folder.

    Raises:
        ConfigurationError: if the variable is not a valid identifier.
    """
    given = read_setting(CLIENT_ID_VARIABLE, environ)
    if given is not None:
        return check_client_id(given)
    try:
        file = (folder or platformdirs.user_data_path("mediasync", appauthor=False)) / FILE_NAME
        return _read(file) or _make(file)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return str(uuid.uuid5(_NAMESPACE, f"{socket.gethostname()}\n{_user()}"))


def check_client_id(client_id: str) -> str:
    """Return *client_id* if it is valid.

    Raises:
        ConfigurationError: if it has characters other than letters, digits, ``.``, ``_`` and ``-``, or more
            than 100 of them.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise ConfigurationError(
            "the client identifier is not valid: use at most 100 letters, digits, '.', '_' and '-'"
        )
    return client_id


def _user() -> str:
    try:
        return str(Path.home())
    except RuntimeError:
        return str(os.getuid())


def _read(file: Path) -> str | None:
    try:
        text = file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    return text if _CLIENT_ID.fullmatch(text) else None


def _make(file: Path) -> str:
    """Create the file, unless another process was first, and return the identifier in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE_NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(f"{uuid.uuid4()}\n")
        try:
            os.link(name, file)
        except OSError:
            # The file exists by now, or its content is not valid, or the file system has no hard links.
            if _read(file) is None:
                os.replace(name, file)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    made = _read(file)
    if made is None:
        raise OSError(f"{file} does not keep what is written to it")
    return made
