"""The backend for Emby servers: Jellyfin's, with Emby's variant of the API."""

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
    socket_path="/embywebsocket",
    socket_query={"api_key": "{token}", "deviceId": "{device}"},
)


class EmbyBackend(JellyfinBackend):
    """An Emby server.

    It follows Emby's documentation and what Emby has in common with Jellyfin. It has not been tested against
    a real server. Its arguments are those of `JellyfinBackend`.

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
            "the token belongs to a user who may not list all libraries, and Emby does not say to whom: give "
            "an API key, or the user's name and password",
        )

    async def _is_user(self, _client: Client) -> bool:
        return True  # Emby does not say whether a token is an API key

    def _is_product(self, product: str | None) -> bool:
        # Emby does not name its product. Jellyfin does, and may answer below /emby, too.
        return product is None or product.startswith("Emby")
