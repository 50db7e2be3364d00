"""The backend for Emby servers: the same as for Jellyfin, in Emby's variant of the API."""

from __future__ import annotations

from typing import Final

from mediasync.backends.jellyfin.backend import JellyfinBackend
from mediasync.backends.jellyfin.client import ApiVariant, Client
from mediasync.errors import SourceForbidden

EMBY: Final = ApiVariant(
    name="Emby",
    prefix="/emby",
    token_header="X-Emby-Token",  # noqa: S106
    token_format="{token}",  # noqa: S106
    scheme="Emby",
    sign_in_header="X-Emby-Authorization",
    persons_path="/Persons",
    persons_query={"sortBy": "SortName"},
    persons_since="",
    views_path="/Users/{user}/Views",
)


class EmbyBackend(JellyfinBackend):
    """An Emby server.

    It is built on Emby's documents and on what Emby has in common with Jellyfin, and has not been tried
    against a real server. The arguments are those of `JellyfinBackend`.

    Example:
        >>> from mediasync import Source
        >>> backend = EmbyBackend("https://media.example", source=Source(id="den", kind="emby"), token="t")
        >>> backend.source.id
        'den'
    """

    variant = EMBY

    async def _find_user(self, _client: Client) -> str:
        raise SourceForbidden(
            self.source.id,
            "the token is a user's who may not list all libraries, and Emby does not say whose: give an API "
            "key, or the user's name and password",
        )

    def _is_product(self, product: str | None) -> bool:
        # Emby does not say what it is; Jellyfin does, and answers below /emby as well where a proxy lets it.
        return product is None or product.startswith("Emby")
