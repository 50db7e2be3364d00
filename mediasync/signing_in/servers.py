"""Finding the server at an address that somebody typed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mediasync.backends.server_kind import NAMES, find_kind
from mediasync.backends.transport import Transport
from mediasync.errors import ConfigurationError, SourceError, SourceMismatch, SourceUnreachable
from mediasync.settings.addresses import server_url
from mediasync.settings.http import HttpOptions

PORTS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "plex": (("https", 32400), ("http", 32400)),
    "jellyfin": (("https", 8920), ("http", 8096)),
    "emby": (("https", 8920), ("http", 8096)),
    "kodi": (("http", 8080),),
}
"""The schemes and ports on which each kind of server listens unless it is set up otherwise."""

_KIND: Final = re.compile(r"(?i)([a-z]+)\+(?=https?://)")
_SCHEME: Final = re.compile(r"(?i)https?://")
_OF_A_PAGE: Final = re.compile(r"(?i)/(web|jsonrpc)(/.*)?$")
_QUICK: Final = {"connect_timeout": 5.0, "read_timeout": 10.0, "tries": 1, "patience": 10.0}


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that answers.

    Attributes:
        kind: ``plex``, ``jellyfin``, ``emby`` or ``kodi``.
        url: its address in canonical form.
    """

    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    kind: str | None = None
    error: SourceError | None = None


def candidates(text: str, kind: str | None = None) -> list[str]:
    """Return the addresses that a text may mean, the best one first.

    What is missing is completed: the scheme, and the usual ports of the kind. ``https`` comes first, because
    an address is only used if its certificate is valid. The path of a page that was copied from the browser
    is removed.

    Args:
        text: ``nas``, ``nas:8096``, ``https://media.example/jellyfin``, ``plex+http://nas``, …
        kind: the kind of server; None for any.

    Raises:
        ConfigurationError: if it is not the address of a server, or contains a password.

    Example:
        >>> candidates("nas:8096")
        ['https://nas:8096', 'http://nas:8096']
        >>> candidates("http://nas:8096/web/index.html#!/home", "jellyfin")
        ['http://nas:8096']
        >>> candidates("nas", "kodi")
        ['https://nas', 'http://nas:8080', 'http://nas:80']
    """
    plain = re.split(r"[?#]", _KIND.sub("", text.strip()))[0]
    schemes = [plain[: plain.index(":")].lower()] if _SCHEME.match(plain) else ["https", "http"]
    rest = _OF_A_PAGE.sub("", _SCHEME.sub("", plain).rstrip("/"))
    if "://" in rest:
        raise ConfigurationError(
            "this is not the address of a server: it must begin with http:// or https://"
        )
    try:
        port = urlsplit(f"http://{rest}").port
        known = [place for one in ([kind] if kind else PORTS) for place in PORTS.get(one, ())]
        found: list[str] = []
        for scheme in schemes:
            address = server_url(f"{scheme}://{rest}")
            if port is not None:
                found.append(address)
            elif scheme == "https":
                found += [address, *(_with_port(address, number) for name, number in known if name == scheme)]
            else:
                usual = [number for name, number in known if name == scheme]
                found += [_with_port(address, number) for number in (*usual, 80)]
    except ValueError as error:
        raise ConfigurationError(f"this is not the address of a server: {error}") from None
    return list(dict.fromkeys(found))


def _with_port(url: str, port: int) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}:{port}{slash}{path}"


async def find_server(
    text: str,
    kind: str | None = None,
    *,
    source_id: str = "server",
    options: HttpOptions = HttpOptions(),  # noqa: B008 - frozen
) -> FoundServer:
    """Return the server at an address, after asking all addresses that the text may mean, at once.

    No request carries a secret.

    Args:
        text: as `candidates` takes it.
        kind: the expected kind; None for any.
        source_id: the source that errors name.
        options: certificates. The timeouts are short, whatever they say.

    Raises:
        ConfigurationError: if the text is not an address.
        SourceMismatch: if what answers is another kind of server, or none.
        SourceUnreachable: if nothing answers, or a certificate is not trusted; the message says why, and
            what to do.
    """
    return await find_first(candidates(text, kind), kind, source_id=source_id, options=options)


async def find_first(
    urls: Iterable[str], kind: str | None, *, source_id: str, options: HttpOptions
) -> FoundServer:
    """Return the first of several addresses at which a server answers; see `find_server`."""
    quick = options.model_copy(update=_QUICK)
    answers = await asyncio.gather(*(_ask(url, source_id, quick) for url in urls))
    for answer in answers:
        if answer.kind is not None and kind in (None, answer.kind):
            return FoundServer(answer.kind, answer.url)
    for answer in answers:
        if answer.kind is not None:
            raise SourceMismatch(
                source_id, f"this is {NAMES[answer.kind]} (at {answer.url}), not {_name(kind)}"
            )
    for answer in answers:
        if answer.error is None:
            raise SourceMismatch(source_id, f"what answers at {answer.url} is not {_name(kind)}")
    raise _worst(answers, source_id)


def _name(kind: str | None) -> str:
    return NAMES.get(kind or "", "a server that mediasync knows")


async def _ask(url: str, source_id: str, options: HttpOptions) -> _Answer:
    transport = Transport(source_id, url, headers={}, concurrency=1, options=options)
    async with transport.open():
        try:
            await transport.get_json("/")
        except SourceUnreachable as error:
            return _Answer(url, error=error)
        except SourceError:
            pass  # it answers, and what it is shows below
        return _Answer(url, await find_kind(transport))


def _worst(answers: list[_Answer], source_id: str) -> SourceError:
    """Return the error to show when no address answers: one about a certificate tells the most."""
    errors = [answer.error for answer in answers if answer.error is not None]
    for error in errors:
        if "certificate" in error.reason:
            return error
    if len(errors) == 1:
        return errors[0]
    tried = ", ".join(answer.url for answer in answers)
    return SourceUnreachable(
        source_id,
        f"no server answers at {tried}: is it running, is the address right, and does a firewall allow it? "
        f"The last error was: {errors[-1].reason}",
    )
