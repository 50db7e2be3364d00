"""Signing in and out, with the token of the server as the password."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mediasync.web.forms import see
from mediasync.web.guard import check_form
from mediasync.web.rendering import Answer, respond
from mediasync.web.site import site_of


def _next(request: Request, asked: str) -> str:
    """Return where to go after signing in: a page of this app, else the home page."""
    home = f"{request.scope.get('root_path', '')}/"
    inside = asked.startswith(home) and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if inside else home


async def show(request: Request) -> Response:
    """Show the form."""
    asked = _next(request, request.query_params.get("next", ""))
    return await respond(request, Answer("sign-in.html", {"next": asked, "wrong": False}, {"next": asked}))


async def sign_in(request: Request) -> Response:
    """Sign in, or show the form again."""
    guard = site_of(request).guard
    if not guard.can_sign_in:
        raise HTTPException(404, "Nobody can sign in here: the server has no token.")
    await check_form(request)
    form = await request.form()
    asked = _next(request, str(form.get("next", "")))
    if not guard.try_token(request, str(form.get("token", "")).strip()):
        return await respond(request, Answer("sign-in.html", {"next": asked, "wrong": True}, {}, status=401))
    response = RedirectResponse(asked, 303)
    guard.begin_session(request, response)
    return response


async def sign_out(request: Request) -> Response:
    """Sign out."""
    await check_form(request)
    response = see(request, "/")
    site_of(request).guard.end_session(request, response)
    return response


routes = [
    Route("/sign-in", show, name="sign-in"),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"], name="sign-out"),
]
