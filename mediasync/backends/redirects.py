"""Where requests with secrets may go: addresses, headers, and the redirects that are followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx

from mediasync.errors import ConfigurationError
from mediasync.settings.addresses import server_url
from mediasync.settings.http import find_header_flaw

_HTTPS_PORT: Final = 443
_SECURE_PORTS: Final = {8096: 8920}


class SecretHeaders(httpx.Headers):
    """Headers whose values are not shown."""

    def __repr__(self) -> str:
        return f"SecretHeaders({list(self)})"


def check_base_url(source_id: str, base_url: str) -> str:
    """Return a base URL without trailing slashes.

    Raises:
        ConfigurationError: if it is not valid. The message does not show a user name, password or token.
    """
    try:
        return server_url(base_url)
    except ValueError as error:
        raise ConfigurationError(f"source {source_id!r}: {error}") from None


def check_headers(source_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with white space trimmed from their values.

    Raises:
        ConfigurationError: if one cannot be sent. The message does not show its value.
    """
    for name, value in headers.items():
        if flaw := find_header_flaw(name, value):
            raise ConfigurationError(f"source {source_id!r}: {flaw}")
    return {name: value.strip() for name, value in headers.items()}


def may_follow(here: httpx.URL, there: httpx.URL) -> bool:
    """Return whether a redirect may be followed although the request carries secrets.

    It may on the same host and port, and on the same host from http to https: to the same port, to 443, or
    from 8096 to 8920, as Jellyfin and Emby redirect.
    """
    if here.host != there.host or there.userinfo:
        return False
    if here.scheme == there.scheme:
        return _port(here) == _port(there)
    secure = {_port(here), _HTTPS_PORT, _SECURE_PORTS.get(_port(here))}
    return here.scheme == "http" and there.scheme == "https" and _port(there) in secure


def _port(url: httpx.URL) -> int:
    return url.port or (_HTTPS_PORT if url.scheme == "https" else 80)
