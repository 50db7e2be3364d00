"""Finding media servers on the local network, by asking all machines of it. Nothing is sent unless called."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.settings.addresses import server_url


@dataclass(frozen=True, slots=True)
class DiscoveredServer:
    """A server that answered.

    Attributes:
        kind: ``jellyfin``, ``emby``, ``plex`` or ``kodi``.
        url: its address; of a Kodi, whose web server may have another port, a guess.
        name: what it calls itself; may be empty.
    """

    kind: str
    url: str
    name: str


Parse = Callable[[bytes, str], DiscoveredServer | None]
"""Makes a server of an answer and the address that sent it; None if it is another kind of answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent to find servers of one kind.

    Attributes:
        address: the address and port, mostly of a group or of all machines.
        payload: the datagram.
        parse: reads the answers.
    """

    address: tuple[str, int]
    payload: bytes
    parse: Parse


def _parse_jellyfin(answer: bytes, _: str) -> DiscoveredServer | None:
    return _parse_json("jellyfin", answer)


def _parse_emby(answer: bytes, _: str) -> DiscoveredServer | None:
    return _parse_json("emby", answer)


def _parse_json(kind: str, answer: bytes) -> DiscoveredServer | None:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return _server(kind, found.get("Address"), found.get("Name"))


def _parse_plex(answer: bytes, sender: str) -> DiscoveredServer | None:
    headers = _headers(answer)
    if headers.get("content-type") != "plex/media-server":
        return None
    return _server("plex", f"http://{_place(sender)}:{headers.get('port', 32400)}", headers.get("name"))


def _parse_kodi(answer: bytes, sender: str) -> DiscoveredServer | None:
    if not re.search(r"(?i)\b(kodi|xbmc)\b", _headers(answer).get("server", "")):
        return None
    return _server("kodi", f"http://{_place(sender)}:8080", "")


def _headers(answer: bytes) -> Mapping[str, str]:
    status, _, rest = answer.decode("utf-8", "replace").partition("\r\n")
    if not re.match(r"HTTP/1\.[01] 200\b", status):
        return {}
    pairs = (line.partition(":") for line in rest.split("\r\n"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _server(kind: str, url: Any, name: Any) -> DiscoveredServer | None:
    try:
        return DiscoveredServer(kind, server_url(url), name if isinstance(name, str) else "")
    except ValueError:
        return None


def _place(host: str) -> str:
    return f"[{host}]" if ":" in host else host


_SSDP: Final = (
    b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    b"ST: urn:schemas-upnp-org:device:MediaRenderer:1\r\n\r\n"
)
QUESTIONS: Final = (
    Question(("255.255.255.255", 7359), b"Who is JellyfinServer?", _parse_jellyfin),
    Question(("255.255.255.255", 7359), b"who is EmbyServer?", _parse_emby),
    Question(("239.0.0.250", 32414), b"M-SEARCH * HTTP/1.0\r\n\r\n", _parse_plex),
    Question(("239.0.0.250", 32410), b"M-SEARCH * HTTP/1.0\r\n\r\n", _parse_plex),
    Question(("239.255.255.250", 1900), _SSDP, _parse_kodi),
)
"""Jellyfin and Emby: a broadcast to their own port. Plex: its "G'Day Mate" protocol. Kodi: SSDP, which it
answers if UPnP is switched on in its settings."""


async def discover_servers(
    seconds: float = 2.0, questions: Iterable[Question] | None = None
) -> list[DiscoveredServer]:
    """Ask the local network for servers, and return those that answer in time, in order of kind and name.

    A question that cannot be sent, because there is no network, finds nothing.

    Args:
        seconds: how long to wait for answers.
        questions: what is sent, and to whom; by default `QUESTIONS`.

    Example:
        >>> import asyncio
        >>> asyncio.run(discover_servers(seconds=0.0, questions=[]))
        []
    """
    found: dict[tuple[str, str], DiscoveredServer] = {}
    loop = asyncio.get_running_loop()
    transports = []
    try:
        for question in QUESTIONS if questions is None else questions:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            transport, _ = await loop.create_datagram_endpoint(
                lambda question=question: _Listener(question.parse, found),  # type: ignore[misc]
                sock=sock,
            )
            transports.append(transport)
            transport.sendto(question.payload, question.address)
        await asyncio.sleep(seconds)
    finally:
        for transport in transports:
            transport.close()
    return sorted(found.values(), key=lambda server: (server.kind, server.name, server.url))


class _Listener(asyncio.DatagramProtocol):
    """Collects the answers to one question."""

    def __init__(self, parse: Parse, found: dict[tuple[str, str], DiscoveredServer]) -> None:
        self._parse = parse
        self._found = found

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        server = self._parse(data, str(addr[0]))
        if server is not None:
            self._found.setdefault((server.kind, server.url), server)

    def error_received(self, _: Exception) -> None:
        """Do nothing: a question that cannot be delivered finds nothing."""
