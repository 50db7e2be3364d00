"""``/events``: the changes of the mirror as server-sent events."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediasync.web.api.requests import Query, read_query
from mediasync.web.api.runs import LARGEST, Number
from mediasync.web.guard import Access
from mediasync.web.problems import Refusal, RefusedValue
from mediasync.web.routing import refuse
from mediasync.web.site import site_of
from mediasync.web.streams import stream


class EventsQuery(Query):
    """Where to begin.

    Attributes:
        after: the number of the last change that the follower has; without it, changes from now on are sent.
    """

    after: Number | None = None


async def follow_changes(request: Request) -> Response:
    """Send changes as they are committed, each with its number as the id of its event.

    A client that reconnects sends the last id, and gets what came after it.
    """
    site = site_of(request)
    if await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    after = _last_event(request)
    if after is None:
        after = read_query(request, EventsQuery).after
    if after is not None:
        await site.feed.check(after)
    site.streams.check_room()
    return stream(site.feed.follow(after))


def _last_event(request: Request) -> int | None:
    given = request.headers.get("last-event-id", "")
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > len(str(LARGEST)) or int(given) > LARGEST:
        allowed = {"type": "integer", "minimum": 0}
        error = RefusedValue(
            "header", "Last-Event-ID", given[:100], "it is not a number of a change", allowed
        )
        raise Refusal(400, "A header cannot be used.", [error])
    return int(given)


routes: Final = [Route("/events", follow_changes, name="events")]
