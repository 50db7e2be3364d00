"""Routes of pages: each page is there as HTML, and as JSON below the same path with ``.json``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.convertors import Convertor, IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediasync.web.forms import see
from mediasync.web.guard import Access, check_form
from mediasync.web.rendering import Answer, respond, wants_json
from mediasync.web.scopes import is_for_programs
from mediasync.web.site import Site, site_of


class _IdConvertor(Convertor[str]):
    """An id as the last part of a path: it may hold any character, also slashes and line breaks."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _NumberConvertor(IntegerConvertor):
    """A number with so few digits that Python reads it; see ``sys.set_int_max_str_digits``."""

    regex = "[0-9]{1,100}"


register_url_convertor("id", _IdConvertor())
register_url_convertor("number", _NumberConvertor())

Page = Callable[[Request, Site], Awaitable[Answer | Response]]


def page(path: str, show: Page) -> list[Route]:
    """Return the routes of a page.

    Args:
        path: its path, such as ``/people``; parameters as Starlette has them. ``/people/{person_id:id}`` ends
            in an id, which may hold any character.
        show: returns its content.
    """

    async def endpoint(request: Request) -> Response:
        site = site_of(request)
        if await site.guard.find_access(request) < Access.READ:
            return refuse(request, site)
        if request.url.path.endswith(".json") and not wants_json(request):
            # The route of JSON took the end of the id for its own.
            request.path_params.update({name: f"{value}.json" for name, value in request.path_params.items()})
        answer = await show(request, site)
        return answer if isinstance(answer, Response) else await respond(request, answer)

    name = path.strip("/") or "home"
    as_json = "/index.json" if path == "/" else f"{path}.json"
    return [Route(as_json, endpoint, name=f"{name}.json"), Route(path, endpoint, name=name)]


def action(path: str, act: Page) -> Route:
    """Return the route of a form that changes something. It needs a signed-in user.

    Args:
        path: its path.
        act: does it, and returns where to go.
    """

    async def endpoint(request: Request) -> Response:
        site = site_of(request)
        if not await site.may_write(request):
            return refuse(request, site)
        await check_form(request)
        answer = await act(request, site)
        return answer if isinstance(answer, Response) else await respond(request, answer)

    return Route(path, endpoint, methods=["POST"], name=f"POST {path}")


def refuse(request: Request, site: Site) -> Response:
    """Return the answer to somebody who has to sign in first."""
    is_page = request.method == "GET" and not is_for_programs(request.scope)
    if site.guard.can_sign_in and is_page:
        query = f"?{request.url.query}" if request.url.query else ""
        return see(request, "/sign-in", next=request.url.path + query)
    if site.guard.can_sign_in:
        raise HTTPException(401, "Sign in first.", {"WWW-Authenticate": 'Bearer realm="mediasync"'})
    raise HTTPException(403, "This is not allowed here.")
