"""The distribution that mediasync is installed from."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "mediasync-mirror"
"""The name to install by. On the public index ``mediasync`` is a different project."""


def find_version() -> str | None:
    """Return the installed version, or None where the package was not installed but only copied."""
    from importlib import metadata  # takes longer to import than most of what a command needs

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def version_text() -> str:
    """Return the name and the version, as ``mediasync --version`` shows them."""
    return f"mediasync {find_version() or '(not installed)'}"


def install_command(extra: str) -> str:
    """Return the command that installs an optional part of mediasync.

    Example:
        >>> install_command("postgres")
        "pip install 'mediasync-mirror[postgres]'"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"
