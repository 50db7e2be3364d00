"""The address of a source: what may be one, which redirects are followed, and headers that can be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

from mediasync.errors import ConfigurationError
from mediasync.settings.http import HEADER_NAME

_HTTPS_PORT: Final = 443
_SECURE_PORTS: Final = {8096: 8920}
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


class SecretHeaders(httpx.Headers):
    """Headers whose values are not shown."""

    def __repr__(self) -> str:
        return f"SecretHeaders({list(self)})"


def check_base_url(source_id: str, base_url: str) -> str:
    """Return a base URL without slashes at its end.

    Raises:
        ConfigurationError: if it is none; a user name, password or token in it is not shown.
    """
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise ConfigurationError(
            f"source {source_id!r}: its address is no URL: write http://host:port or https://host/path"
        ) from None
    if url.userinfo:
        raise ConfigurationError(
            f"source {source_id!r}: there is a user name or password in its address: take it out, and give "
            "it in the environment or the configuration"
        )
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(
            f"source {source_id!r}: its address must begin with http:// or https:// and name a host"
        )
    if url.query or url.fragment:
        raise ConfigurationError(f"source {source_id!r}: its address must end with the path, without ? and #")
    return str(url).rstrip("/")


def check_headers(source_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as they can be sent.

    Raises:
        ConfigurationError: if one cannot; its value is not shown.
    """
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"source {source_id!r}: there is a header whose name cannot be one")
        if not _HEADER_VALUE.fullmatch(value.strip()):
            raise ConfigurationError(
                f"source {source_id!r}: the value of the header {name} (a token, say) holds a line break or "
                "a character that is no ASCII: give it again, without what does not belong to it"
            )
    return {name: value.strip() for name, value in headers.items()}


def may_follow(here: httpx.URL, there: httpx.URL) -> bool:
    """Tell whether a redirect may be followed with the secrets that the request carries.

    That is so on the same host and port, and on the same host from http to https: on the same port, on
    that of https, or from 8096 on 8920, as Jellyfin and Emby redirect.
    """
    if here.host != there.host or there.userinfo:
        return False
    if here.scheme == there.scheme:
        return _port(here) == _port(there)
    secure = {_port(here), _HTTPS_PORT, _SECURE_PORTS.get(_port(here))}
    return here.scheme == "http" and there.scheme == "https" and _port(there) in secure


def _port(url: httpx.URL) -> int:
    return url.port or (_HTTPS_PORT if url.scheme == "https" else 80)
