"""Pictures at public addresses, which NFO files name. Nothing in the local network is asked for them."""

from __future__ import annotations

import asyncio
import os
import socket
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

import httpx

from mediasync.backends.json_body import ENCODING, Body, NotJson
from mediasync.backends.transport import usual_trust

LARGEST: Final = 16 * 1024 * 1024
"""The largest picture in bytes."""

_SECONDS: Final = 20.0
_REDIRECTS: Final = 3
_AT_ONCE: Final = 8
"""How many pictures are fetched at once, because each takes `LARGEST` bytes of memory."""

_WITH_IPV4: Final = (
    (ip_network("::/96"), 0),
    (ip_network("::ffff:0:0/96"), 0),
    (ip_network("::ffff:0:0:0/96"), 0),
    (ip_network("64:ff9b::/96"), 0),
    (ip_network("2002::/16"), 80),
)
"""IPv6 networks whose addresses hold an IPv4 address, which a gateway may ask: how many bits follow it."""

_LOCAL: Final = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10", "5f00::/16")))
"""Networks that are not public, though older versions of Python take them for it."""


class PublicPictures:
    """Fetches pictures at public addresses, without any secret.

    The reference comes from a source, which may be hostile. So each address, also after a redirect, is
    resolved first, the connection goes to what it resolved to, and private addresses are refused.

    Args:
        private: whether addresses of the local network may be asked too.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, url: str) -> bytes:
        """Return the bytes of a picture.

        Raises:
            OSError: if it cannot be fetched; the message says why.
        """
        trust = usual_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        try:
            async with (
                self._limit,
                asyncio.timeout(_SECONDS),
                httpx.AsyncClient(trust_env=False, verify=trust) as client,
            ):
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
            headers={
                "Host": url.netloc.decode("ascii"),
                "Accept": "image/*",
                "Accept-Encoding": ENCODING,
                "User-Agent": "mediasync",
            },
            extensions={"sni_hostname": url.host},
        )
        response = await client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return b"", response.headers["Location"]
            if response.status_code != 200:
                raise OSError(f"{url}: was answered with status {response.status_code}")
            # httpx would decompress all that it has read at once, and as often as the answer says.
            body = Body(response.headers.get("Content-Encoding", ""), LARGEST)
            async for chunk in response.aiter_raw():
                body.add(chunk)
            body.finish()
            return bytes(body.content), None
        except NotJson as error:
            raise OSError(f"{url}: was answered with {error}") from None
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
    for network, bits in _WITH_IPV4:
        if found in network:
            found = IPv4Address(int(found) >> bits & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast and not any(found in one for one in _LOCAL)
