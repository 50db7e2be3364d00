"""Routes of pages: each page is there as HTML, and as JSON below the same path with ``.json``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mediasync.web.guard import Access, check_form
from mediasync.web.rendering import Answer, respond
from mediasync.web.scopes import is_for_programs
from mediasync.web.site import Site, site_of

Page = Callable[[Request, Site], Awaitable[Answer | Response]]


def page(path: str, show: Page) -> list[Route]:
    """Return the routes of a page.

    Args:
        path: its path, such as ``/people``; parameters as Starlette has them.
        show: returns its content.
    """

    async def endpoint(request: Request) -> Response:
        site = site_of(request)
        if await site.guard.find_access(request) < Access.READ:
            return refuse(request, site)
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
        return RedirectResponse(request.url_for("sign-in").include_query_params(next=request.url.path), 303)
    if site.guard.can_sign_in:
        raise HTTPException(401, "Sign in first.", {"WWW-Authenticate": 'Bearer realm="mediasync"'})
    raise HTTPException(403, "This is not allowed here.")
