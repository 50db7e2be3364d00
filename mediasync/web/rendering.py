"""From a page's content to a response: HTML for people, or the same as JSON for programs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from mediasync.display import safe
from mediasync.web import words
from mediasync.web.assets import asset_path
from mediasync.web.guard import form_token, keep_form_token
from mediasync.web.links import item_path, item_picture, person_path, person_picture
from mediasync.web.queries import address
from mediasync.web.site import site_of
from mediasync.wording import counted, duration, episode_code, running_time

LONGEST_TEXT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of a page.

    Attributes:
        template: the template that shows it.
        context: what the template needs.
        document: the same for programs: anything that JSON can hold.
        status: the HTTP status.
    """

    template: str
    context: Mapping[str, Any]
    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the templates. All values are escaped, cleaned and bounded."""
    made = Environment(
        loader=PackageLoader("mediasync.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= FILTERS
    made.globals |= GLOBALS
    return made


def _shown(value: Any) -> Any:
    """Return a value as it may stand in a page: texts of servers without control characters."""
    if value is None:
        return ""
    return safe(value, LONGEST_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


async def respond(request: Request, answer: Answer) -> Response:
    """Return the response to a request: JSON if its path ends in ``.json``, else HTML."""
    if wants_json(request):
        response: Response = JSONResponse(answer.document, answer.status)
    else:
        site = site_of(request)
        template = environment().get_template(answer.template)
        html = template.render(
            request=request,
            root=request.scope.get("root_path", ""),
            may_write=await site.may_write(request),
            can_sign_in=site.guard.can_sign_in,
            form_token=lambda: form_token(request),
            **answer.context,
        )
        response = HTMLResponse(html, answer.status)
        keep_form_token(request, response)
    response.headers.update(answer.headers)
    return with_etag(request, response)


def wants_json(request: Request) -> bool:
    """Return whether a page is asked for as JSON: by its path, unless ``format=html`` says otherwise."""
    return request.url.path.endswith(".json") and request.query_params.get("format") != "html"


def with_etag(request: Request, response: Response) -> Response:
    """Give a response its entity tag; return a 304 in its place if the client has it already."""
    if response.status_code != 200 or request.method not in {"GET", "HEAD"}:
        return response
    tag = f'"{hashlib.blake2b(bytes(response.body), digest_size=12).hexdigest()}"'
    response.headers["ETag"] = tag
    response.headers.setdefault("Cache-Control", "private, no-cache")
    given = request.headers.get("if-none-match", "")
    if tag in {part.strip().removeprefix("W/") for part in given.split(",")} or given.strip() == "*":
        kept = {name: value for name, value in response.headers.items() if name in _KEPT}
        unchanged = Response(status_code=304, headers=kept)
        unchanged.raw_headers += [pair for pair in response.raw_headers if pair[0] == b"set-cookie"]
        return unchanged
    return response


_PLAIN: Final = re.compile(r"[a-z][a-z_]{0,39}")

_KEPT: Final = frozenset({"etag", "cache-control", "vary"})


def when(time: datetime | None) -> Markup:
    """Return a time as `words.moment` does, with its exact value for programs."""
    if time is None:
        return Markup("-")
    return Markup('<time datetime="{}">{}</time>').format(
        time.isoformat(timespec="seconds"), words.moment(time)
    )


def _short(value: Any, longest: int = 160) -> str:
    """Return a text of a server as it stands in a list, where others need room as well."""
    return safe("" if value is None else value, longest)


def _slug(text: str) -> str:
    """Return a text as a part of an id in a page: itself if it is plain, else a digest of it."""
    if _PLAIN.fullmatch(text):
        return text.replace("_", "-")
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


FILTERS: Final[dict[str, Any]] = {
    "counted": counted,
    "took": duration,
    "when": when,
    "ago": words.ago,
    "change_in_words": words.change_in_words,
    "completeness_in_words": words.completeness_in_words,
    "day": words.day,
    "duration": running_time,
    "function_heading": words.function_heading,
    "function_name": words.function_name,
    "item_path": item_path,
    "item_picture": item_picture,
    "item_title": words.item_title,
    "moment": words.moment,
    "until": words.until,
    "person_name": words.person_name,
    "person_path": person_path,
    "person_picture": person_picture,
    "short": _short,
    "slug": _slug,
    "status_class": words.status_class,
    "status_name": words.status_name,
}
"""Filters of the templates."""

GLOBALS: Final[dict[str, Any]] = {
    "address": address,
    "asset_path": asset_path,
    "episode_code": episode_code,
    "joined": words.joined,
    "number_of": counted,
    "provider_link": words.provider_link,
    "type_name": words.type_name,
    "years": words.years,
}
"""Functions of the templates."""
