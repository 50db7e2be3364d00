"""Pictures at public addresses, which NFO files name. Nothing in the local network is asked for them."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Final

import httpx

LARGEST: Final = 16 * 1024 * 1024
"""The largest picture in bytes."""

_SECONDS: Final = 20.0
_REDIRECTS: Final = 3


class PublicPictures:
    """Fetches pictures at public addresses, without any secret.

    The reference comes from a source, which may be hostile. So each address, also after a redirect, is
    resolved first, the connection goes to what it resolved to, and private addresses are refused.

    Args:
        private: whether addresses of the local network may be asked too.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._private = private

    async def fetch(self, url: str) -> bytes:
        """Return the bytes of a picture.

        Raises:
            OSError: if it cannot be fetched; the message says why.
        """
        try:
            async with asyncio.timeout(_SECONDS), httpx.AsyncClient(trust_env=False) as client:
                address = httpx.URL(url)
                for _ in range(_REDIRECTS + 1):
                    content, location = await self._ask(client, address)
                    if location is None:
                        return content
                    address = address.join(location)
        except TimeoutError as error:
            raise OSError(f"{url}: did not answer within {_SECONDS:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise OSError(f"{url}: {type(error).__name__}: {error}") from error
        raise OSError(f"{url}: redirects more than {_REDIRECTS} times")

    async def _ask(self, client: httpx.AsyncClient, url: httpx.URL) -> tuple[bytes, str | None]:
        """Return the content, or where a redirect leads."""
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise OSError(f"{url.copy_with(userinfo=b'')}: is not the address of a public picture")
        target = url.copy_with(host=await self._resolve(url))
        request = client.build_request(
            "GET",
            target,
            headers={"Host": url.netloc.decode("ascii"), "Accept": "image/*", "User-Agent": "mediasync"},
            extensions={"sni_hostname": url.host},
        )
        response = await client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return b"", response.headers["Location"]
            if response.status_code != 200:
                raise OSError(f"{url}: was answered with status {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise OSError(f"{url}: is larger than {LARGEST // 1024 // 1024} MiB")
            return bytes(content), None
        finally:
            await response.aclose()

    async def _resolve(self, url: httpx.URL) -> str:
        """Return the address that the host of *url* has, if it may be asked."""
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not self._private:
            addresses = [one for one in addresses if _is_public(one)]
        if not addresses:
            raise OSError(f"{url}: is in the local network, which is not asked for pictures")
        return addresses[0]


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast
