"""Finding the configuration file ``mediasync.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import CONFIG_VARIABLE, read_setting

FILE_NAME: Final = "mediasync.toml"


def find_configuration(option: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file to use, or None if there is none.

    Args:
        option: the path of the file; it overrides the environment.
        environ: ``MEDIASYNC_CONFIG`` has the path. Without either, the file is ``mediasync.toml`` in the
            working folder, or else in the user's configuration folder.

    Raises:
        ConfigurationError: if a file that is named does not exist.
    """
    named = str(option) if option is not None else read_setting(CONFIG_VARIABLE, environ)
    if named is not None:
        try:
            path = Path(named).expanduser()
        except RuntimeError as error:
            raise ConfigurationError(f"{named!r} is not the path of a configuration file: {error}") from None
        if not path.is_file():
            raise ConfigurationError(f"there is no configuration file {named!r}")
        return path
    for find_folder in (Path, user_folder):
        folder = find_folder()
        if folder is not None and (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def user_folder() -> Path | None:
    """Return the user's configuration folder, or None if the user has no home."""
    try:
        return platformdirs.user_config_path("mediasync", appauthor=False)
    except RuntimeError:
        return None
