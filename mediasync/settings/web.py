"""The settings of the website: where it listens, and who may use it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import WEB_TOKEN_VARIABLE, read_setting, read_value
from mediasync.settings.tables import read_table

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
SHORTEST_TOKEN: Final = 12
"""Guesses are limited to some thousands a day; a password of this length withstands them."""

_HOST_NAME: Final = re.compile(
    r"(\*\.)?[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*\.?", re.I
)
_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.I)


def check_root_path(path: str) -> str:
    """Return the path below which a proxy shows the site, without a slash at its end.

    Raises:
        ValueError: if it is not a path.

    Example:
        >>> check_root_path("/media/")
        '/media'
    """
    shortened = path.rstrip("/")
    if shortened and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", shortened):
        raise ValueError("is not a path: write /media")
    return shortened


def check_proxy(address: str) -> str:
    """Return the address of a proxy, or of a network of proxies.

    Raises:
        ValueError: if it is neither.
    """
    try:
        ip_network(address, strict=False)
    except ValueError:
        raise ValueError(
            f"{address!r} is not the address of a proxy: write 127.0.0.1, or a network such as 172.16.0.0/12"
        ) from None
    return address


def check_host_name(name: str) -> str:
    """Return a name by which browsers may call the site; ``*.`` before it stands for any name below it.

    Raises:
        ValueError: if it is not a name of a host.
    """
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a host: write media.example.org, without a port")
    return name.lower()


def check_origin(origin: str) -> str:
    """Return the origin of pages of another site that may use the API.

    Raises:
        ValueError: if it is not an origin.

    Example:
        >>> check_origin("https://Films.example:8443")
        'https://films.example:8443'
    """
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{origin!r} is not an origin: write https://films.example, without a path")
    return origin.lower()


class WebSettings(BaseModel):
    """The table ``[web]``.

    Attributes:
        host: the address to listen on; None for the default.
        port: the port; 0 for a free one; None for the default.
        token_file: the file with the password of the site.
        root_path: the path below which a proxy shows the site.
        trusted_proxies: the addresses of the proxies whose ``X-Forwarded-*`` headers are believed.
        hosts: the names by which browsers may call the site, besides those of this machine.
        cors_origins: the origins whose pages may use the API: ``https://films.example``.
        public_metrics: whether everybody may read ``/metrics``.
        pictures: the folder in which pictures are kept; None for the user's cache folder.
        pictures_mb: how many megabytes they may have together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str | None = Field(default=None, min_length=1)
    port: int | None = Field(default=None, ge=0, le=65535, strict=True)
    token_file: Path | None = None
    root_path: str = ""
    trusted_proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    public_metrics: bool = Field(default=False, strict=True)
    pictures: Path | None = None
    pictures_mb: int = Field(default=512, ge=1, le=1_000_000, strict=True)

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        return check_root_path(value)

    @field_validator("trusted_proxies", "hosts", "cors_origins", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_proxy, value))

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_host_name, value))

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_origin, value))


def read_web_table(table: Any, folder: Path) -> tuple[WebSettings, list[str]]:
    """Return the settings of the table ``[web]``, and what is wrong with it.

    Args:
        table: as it stands in the configuration file.
        folder: the file's folder, to which paths are relative.
    """
    found, flaws = read_table("web", table, WebSettings, "port = …")
    paths = {name: path for name in ("token_file", "pictures") if (path := getattr(found, name)) is not None}
    update = {name: folder / path.expanduser() for name, path in paths.items()}
    return found.model_copy(update=update), flaws


def find_web_token(
    option: Path | None, settings: WebSettings, environ: Mapping[str, str]
) -> tuple[str | None, str]:
    """Return the password of the site, and where it was found; None if there is none.

    Args:
        option: the file that the option ``--token-file`` names; it overrides the environment.
        settings: of the configuration file, which the environment overrides.
        environ: the environment variables.

    Raises:
        ConfigurationError: if a file cannot be read or is empty, or the password is too short.
    """
    if option is not None:
        token, where = read_value(option, "--token-file"), f"--token-file {option}"
    elif (given := read_setting(WEB_TOKEN_VARIABLE, environ)) is not None:
        named = WEB_TOKEN_VARIABLE if environ.get(WEB_TOKEN_VARIABLE) else f"{WEB_TOKEN_VARIABLE}_FILE"
        token, where = given, named
    elif settings.token_file is not None:
        token, where = read_value(settings.token_file, "[web] token_file"), str(settings.token_file)
    else:
        return None, ""
    if len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{where}: is too short to be a password: write at least {SHORTEST_TOKEN} characters, "
            "as openssl rand -base64 18 makes them"
        )
    return token, where
