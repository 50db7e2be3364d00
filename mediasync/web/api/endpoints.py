"""Endpoints: what each takes and answers is declared once, for checks of requests and for the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediasync.text import check_texts
from mediasync.web.api.requests import NoQuery, Query, check_not_forged, read_body, read_query
from mediasync.web.guard import Access
from mediasync.web.rendering import with_etag
from mediasync.web.routing import refuse
from mediasync.web.site import Site, site_of

PREFIX: Final = "/api/v1"

Q_co = TypeVar("Q_co", bound=Query, covariant=True)
B_co = TypeVar("B_co", bound=BaseModel | None, covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q_co, B_co]):
    """One request to an endpoint, checked.

    Attributes:
        site: the site that answers.
        query: the parameters of the query.
        body: the body; None if the endpoint takes none.
        path: the parameters of the path.
        root: the path below which the app is mounted; empty if it is not.
    """

    site: Site
    query: Q_co
    body: B_co
    path: Mapping[str, Any]
    root: str

    @property
    def id(self) -> str:
        """The id that the path names."""
        return str(self.path["id"])

    def place(self, path: str) -> str:
        """Return the path of another endpoint, for a header."""
        return f"{self.root}{PREFIX}{quote(path)}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answers, where that is more than a value.

    Attributes:
        value: the content.
        headers: headers for it.
        next: parameters of the query of the next page, in place of those of the request; empty on the last.
    """

    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    next: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    Attributes:
        path: below `PREFIX`. Its last part may be ``{id:path}``, which holds any character.
        act: answers. Its docstring is the description in the document.
        answer: the type of the content that it answers.
        tag: the group in the document.
        method: the HTTP method.
        query: the parameters of the query. Their description is its docstring.
        body: the content that is taken; None for none.
        needs_body: whether a request without a body is refused.
        status: of an answer without an error.
        access: what the request must be allowed to do.
        subject: what the id or the number in the path names, in words.
        errors: statuses of errors, besides those that every endpoint may answer.
        has_pages: whether answers have a ``Link`` to the next page.
    """

    path: str
    act: Callable[[Call[Any, Any]], Awaitable[Any]]
    answer: Any
    tag: str
    method: str = "GET"
    query: type[Query] = NoQuery
    body: type[BaseModel] | None = None
    needs_body: bool = True
    status: int = 200
    access: Access = Access.READ
    subject: str = ""
    errors: Sequence[int] = ()
    has_pages: bool = False

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Writes the content as JSON."""
        return TypeAdapter(self.answer)

    async def respond(self, request: Request) -> Response:
        """Answer a request."""
        site = site_of(request)
        if await site.guard.find_access(request) < self.access:
            return refuse(request, site)
        if self.access is Access.WRITE:
            check_not_forged(request)
        check_texts("path", {name: str(value) for name, value in request.path_params.items()})
        body = None if self.body is None else await read_body(request, self.body, needed=self.needs_body)
        root = str(request.scope.get("root_path", ""))
        call = Call(site, read_query(request, self.query), body, request.path_params, root)
        answer = await self.act(call)
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        content = self.adapter.dump_json(reply.value)
        response = Response(content, self.status, dict(reply.headers), media_type="application/json")
        if reply.next:
            response.headers["Link"] = f'<{_next_place(request, reply.next)}>; rel="next"'
        return with_etag(request, response)


def _next_place(request: Request, changed: Mapping[str, object]) -> str:
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in changed]
    query = urlencode([*kept, *((name, str(value)) for name, value in changed.items())])
    return f"{quote(request.scope['path'])}?{query}"


def make_routes(endpoints: Iterable[Endpoint]) -> list[Route]:
    """Return the routes of endpoints: one for each path, which also tells what methods it has."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_make_route(path, by_method) for path, by_method in by_path.items()]


def _make_route(path: str, by_method: Mapping[str, Endpoint]) -> Route:
    methods = [*by_method, "OPTIONS"]

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
            return Response(status_code=204, headers={"Allow": ", ".join(allowed)})
        return await by_method["GET" if request.method == "HEAD" else request.method].respond(request)

    return Route(f"{PREFIX}{path}", answer, methods=methods, name=f"{PREFIX}{path}")


def require(value: Any, what: str) -> Any:
    """Return a value that was found.

    Raises:
        HTTPException: with status 404 if it is None.
    """
    if value is None:
        raise HTTPException(404, what)
    return value
