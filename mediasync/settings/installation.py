"""What tells this installation from others: its version, and the one identifier by which servers know it."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

import platformdirs

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import read_setting

DISTRIBUTION: Final = "mediasync-mirror"
"""The name to install by. On the public index ``mediasync`` is a different project."""

CLIENT_ID_VARIABLE: Final = "MEDIASYNC_CLIENT_ID"
FILE_NAME: Final = "client-id"

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NAMESPACE: Final = uuid.UUID("5b0c0f8e-6f0f-4a3b-9d0e-2f6d1c7d9a51")


def find_client_id(environ: Mapping[str, str], folder: Path | None = None) -> str:
    """Return the identifier of this installation, and make it where there is none.

    It is a random UUID in the file ``client-id``, made once by whichever process comes first. Where that
    file can be neither read nor made, it is derived from the names of the host and of the user's home
    (without one, the user's number), and so stays the same as long as those do.

    Args:
        environ: ``MEDIASYNC_CLIENT_ID`` beats the file.
        folder: where the file is; the user's data folder if it is not given.

    Raises:
        ConfigurationError: if the variable holds what cannot be one.
    """
    given = read_setting(CLIENT_ID_VARIABLE, environ)
    if given is not None:
        return check_client_id(given)
    try:
        file = (folder or platformdirs.user_data_path("mediasync", appauthor=False)) / FILE_NAME
        return _read(file) or _make(file)
    except (OSError, RuntimeError):  # the latter where the user has no home
        return str(uuid.uuid5(_NAMESPACE, f"{socket.gethostname()}\n{_user()}"))


def check_client_id(client_id: str) -> str:
    """Return *client_id* if it may be one.

    Raises:
        ConfigurationError: if it holds other than letters, digits, ``.``, ``_`` and ``-``, or too many.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise ConfigurationError(
            "the client identifier is none: use at most 100 letters, digits, '.', '_' and '-'"
        )
    return client_id


def find_version() -> str | None:
    """Return the installed version, or None where the package was not installed but only copied."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def install_command(extra: str) -> str:
    """Return the command that installs an optional part of mediasync.

    Example:
        >>> install_command("postgres")
        "pip install 'mediasync-mirror[postgres]'"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"


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
    """Write a new identifier, unless another process was first, and return the one that counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE_NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(f"{uuid.uuid4()}\n")
        try:
            os.link(name, file)
        except OSError:
            # It is there by now; or what is there is no identifier; or links are not known here.
            if _read(file) is None:
                os.replace(name, file)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    made = _read(file)
    if made is None:
        raise OSError(f"{file} does not keep what is written to it")
    return made
