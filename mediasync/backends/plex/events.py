"""The events of Plex: what its notifications hint at, and listening to them in the ways that it offers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from mediasync.backends.json_body import NotJson, decode
from mediasync.backends.plex.values import usable_key
from mediasync.backends.sockets import LARGEST_MESSAGE, open_socket
from mediasync.backends.transport import Transport
from mediasync.backends.waiting_hints import LONGEST_KEY, WaitingHints
from mediasync.errors import SourceUnreachable, SourceUnreadable
from mediasync.hints import Hint, HintKind

SOCKETS: Final = ("/:/websockets/notifications", "/:/websocket/notifications")
"""The paths of the WebSocket: the first is what clients use, the second what Plex documents."""

EVENT_STREAM: Final = "/:/eventsource/notifications"
FILTERS: Final = {"filters": "timeline,activity"}

UNFINISHED_SECONDS: Final = 30.0
"""How long to wait with an item that Plex still works on. In a library without an agent, no word follows."""

_LIBRARY: Final = "com.plexapp.plugins.library"
_UNKNOWN_TYPE: Final = -1
_TYPES: Final = frozenset({1, 2, 3, 4})
_WORKING, _PROCESSED, _DELETED = 1, 5, 9
_ITEM: Final = re.compile(r"/library/metadata/([\w-]+)(?:/children)?", re.ASCII)


def parse_hints(message: Any) -> list[Hint]:
    """Return what a notification hints at. Pure; whatever is not understood hints at nothing.

    Films, shows, seasons and episodes count. An item has changed when it was processed (state 5), or when the
    refresh of its data has ended. It is gone when it was deleted (state 9), whatever is reported later. The
    state 1 is the last one in libraries without an agent.

    Args:
        message: the decoded message of the WebSocket, or the data of a server-sent event.

    Example:
        >>> entry = {"identifier": "com.plexapp.plugins.library", "type": 1, "itemID": "7", "state": 5}
        >>> [hint] = parse_hints({"NotificationContainer": {"type": "timeline", "TimelineEntry": [entry]}})
        >>> hint.kind, hint.remote_ids
        (<HintKind.CHANGED: 'changed'>, ('7',))
    """
    if not isinstance(message, Mapping):
        return []
    container = message.get("NotificationContainer", message)
    if not isinstance(container, Mapping):
        return []
    found: dict[tuple[HintKind, float], dict[str, None]] = {}
    for entry in _records(container.get("TimelineEntry")):
        if (key := _key(entry, "itemID")) and (meant := _meaning(entry)):
            found.setdefault(meant, {})[key] = None
    for notification in _records(container.get("ActivityNotification")):
        if notification.get("event") == "ended":
            for activity in _records(notification.get("Activity")):
                if key := _refreshed(activity):
                    found.setdefault((HintKind.CHANGED, 0.0), {})[key] = None
    return [Hint(kind, tuple(keys), seconds=seconds) for (kind, seconds), keys in found.items()]


def _meaning(entry: Mapping[str, Any]) -> tuple[HintKind, float] | None:
    """Return what a timeline entry says, and how long to wait; None if it says nothing about the library."""
    kind, state = _number(entry.get("type")), _number(entry.get("state"))
    if entry.get("identifier") != _LIBRARY or kind not in _TYPES | {_UNKNOWN_TYPE}:
        return None
    if state == _DELETED:
        return HintKind.REMOVED, 0.0
    if kind == _UNKNOWN_TYPE:
        return None
    if state == _PROCESSED:
        return HintKind.CHANGED, 0.0
    return (HintKind.CHANGED, UNFINISHED_SECONDS) if state == _WORKING else None


def _refreshed(activity: Mapping[str, Any]) -> str | None:
    """Return the key of the item that an activity has refreshed.

    Plex also reports such an activity when somebody only opens the page of an item. It says then that nothing
    was refreshed.
    """
    context = activity.get("Context")
    if activity.get("type") != "library.refresh.items" or not isinstance(context, Mapping):
        return None
    if context.get("refreshed") is False and context.get("analyzed") is not True:
        return None
    key = context.get("key")
    match = _ITEM.fullmatch(key) if isinstance(key, str) else None
    return match[1] if match and len(match[1]) <= LONGEST_KEY else None


async def read_events(transport: Transport, waiting: WaitingHints) -> None:
    """Read notifications and add what they hint at, until the connection is lost.

    The two paths of the WebSocket are tried, and then server-sent events, which also pass proxies that know
    no WebSocket.

    Raises:
        SourceError: as `open_socket` and `Transport.open_stream` say.
    """
    for path in SOCKETS:
        opened = False
        try:
            async with open_socket(transport, path) as socket:
                opened = True
                waiting.begin()
                while True:
                    waiting.add(parse_hints(await socket.read()))
                    await asyncio.sleep(0)  # a server that floods does not stop other work
        except SourceUnreadable:
            if opened:
                raise
    async with transport.open_stream(EVENT_STREAM, FILTERS) as response:
        _check_stream(response, transport.source_id)
        waiting.begin()
        async for data in iter_data(response, transport.source_id):
            try:
                waiting.add(parse_hints(await decode(data, "")))
            except NotJson as error:
                raise SourceUnreadable(transport.source_id, f"GET {EVENT_STREAM} sent {error}") from None
    raise SourceUnreachable(transport.source_id, f"GET {EVENT_STREAM}: the server ended the answer")


async def iter_data(response: httpx.Response, source_id: str) -> AsyncIterator[bytearray]:
    """Iterate over the data of server-sent events. Plex writes each event's data in one line.

    Raises:
        SourceUnreadable: if a line is longer than the largest message.
    """
    rest = bytearray()
    async for chunk in response.aiter_raw():
        *lines, last = chunk.split(b"\n")
        for line in lines:
            rest += line
            name, _, value = rest.partition(b":")
            if name == b"data" and bytes(value).strip() not in {b"", b"{}"}:
                yield value
            rest = bytearray()
        rest += last
        if len(rest) > LARGEST_MESSAGE:
            limit = LARGEST_MESSAGE // 1024 // 1024
            raise SourceUnreadable(source_id, f"GET {EVENT_STREAM} sent a line of more than {limit} MiB")
        await asyncio.sleep(0)


def _check_stream(response: httpx.Response, source_id: str) -> None:
    kind = response.headers.get("Content-Type", "")
    if not kind.lower().startswith("text/event-stream"):
        what = f"{kind[:LONGEST_KEY]!r} instead of a stream of events"
        raise SourceUnreadable(source_id, f"GET {EVENT_STREAM} was answered with {what}")


def _records(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list; a server-sent event has one object instead."""
    values = value if isinstance(value, list) else [value]
    return [entry for entry in values if isinstance(entry, Mapping)]


def _key(entry: Mapping[str, Any], name: str) -> str | None:
    key = usable_key(entry, name)
    return key if key and len(key) <= LONGEST_KEY else None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < LONGEST_KEY:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
