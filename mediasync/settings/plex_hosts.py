"""The hosts of Plex's own service, where people sign in and devices get their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mediasync.errors import ConfigurationError
from mediasync.settings.addresses import server_url
from mediasync.settings.environment import PLEX_TV_VARIABLE, read_setting


@dataclass(frozen=True, slots=True)
class PlexHosts:
    """The addresses of Plex's own service.

    Attributes:
        api: answers programs: codes, tokens, and the servers of an account.
        link: where people type a code of four characters, below ``/link``.
        web: where people approve a device in the browser.

    Example:
        >>> PlexHosts().link_page
        'https://plex.tv/link'
    """

    api: str = "https://clients.plex.tv"
    link: str = "https://plex.tv"
    web: str = "https://app.plex.tv"

    @property
    def link_page(self) -> str:
        """The page on which people type a code."""
        return f"{self.link}/link"


def plex_hosts(environ: Mapping[str, str]) -> PlexHosts:
    """Return the hosts of Plex's own service.

    Args:
        environ: ``MEDIASYNC_PLEX_TV`` has one address that replaces them all, for tests with a fake.

    Raises:
        ConfigurationError: if that is not an address.
    """
    given = read_setting(PLEX_TV_VARIABLE, environ)
    if given is None:
        return PlexHosts()
    try:
        url = server_url(given)
    except ValueError as error:
        raise ConfigurationError(f"{PLEX_TV_VARIABLE}: {error}") from None
    return PlexHosts(url, url, url)
