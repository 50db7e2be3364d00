"""Reading requests: queries and bodies are checked against models, and a refusal says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar, get_origin

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mediasync.display import safe
from mediasync.settings.suggestions import suggestion
from mediasync.text import find_text_flaw
from mediasync.web.guard import FORM_HEADER, check_form_token, is_same_origin
from mediasync.web.problems import Refusal, RefusedValue

MOST_REFUSED: Final = 20
_SHOWN: Final = 200
_SPACE_BEFORE_ZONE: Final = re.compile(r" (?=\d\d:?\d\d$)")
_LONGEST: Final = 4_000
"""A parameter of this many characters is none that anything stored fits."""

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", bound="Query")


class Query(BaseModel):
    """The parameters of a query. Those that are lists may be given several times."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """A query without parameters."""


def _as_flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if value not in {"true", "false"}:
        raise ValueError("write true or false")
    return value == "true"


Flag = Annotated[bool, BeforeValidator(_as_flag)]
"""A parameter that is ``true`` or ``false``."""


def _as_time(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    # A plus that is not percent-encoded arrives as a space.
    time = datetime.fromisoformat(_SPACE_BEFORE_ZONE.sub("+", value))
    if time.tzinfo is None:
        raise ValueError("write a time with its zone, such as 2026-01-31T12:00:00Z")
    return time


Time = Annotated[AwareDatetime, BeforeValidator(_as_time)]
"""A parameter that is a time with a zone."""


def read_query(request: Request, model: type[Q]) -> Q:
    """Return the parameters of a request's query.

    Raises:
        Refusal: with status 422; it names each parameter that is refused, and what is allowed.
    """
    lists = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
    given: dict[str, Any] = {}
    refused: list[RefusedValue] = []
    for name, value in request.query_params.multi_items():
        if flaw := find_text_flaw(name) or find_text_flaw(value):
            refused.append(_refused("query", name, value, f"it {flaw}"))
        elif len(value) > _LONGEST:
            refused.append(_refused("query", name, value, f"it is longer than {_LONGEST:,} characters"))
        elif name in lists:
            given.setdefault(name, []).append(value)
        elif name in given:
            refused.append(_refused("query", name, value, "it is given more than once"))
        else:
            given[name] = value
    if refused:
        raise Refusal(422, "A parameter of the query cannot be used.", refused[:MOST_REFUSED])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, model, "query", given) from None


async def read_body(request: Request, model: type[M], *, needed: bool = True) -> M:
    """Return the body of a request.

    Args:
        request: the request.
        model: what the body has to be.
        needed: refuse a request without a body; else it is as if an empty object was sent.

    Raises:
        Refusal: with status 422; it names each field that is refused, and what is allowed.
        HTTPException: with status 413 if the body is too large, or 415 if it is not JSON.
    """
    content = await request.body()  # its size is limited for every request
    if not content and not needed:
        return model()
    if not _is_json(request):
        raise HTTPException(415, "Send the body as application/json.", {"Accept": "application/json"})
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise _refusal(error, model, "body", {}) from None


def check_not_forged(request: Request) -> None:
    """Check that no page of another site let a browser send this request.

    A request with a bearer token passes, because a browser does not add one by itself. Any other has to come
    from this site, and either carry the token of its forms, or be declared as JSON: to send that to another
    site, a browser asks for permission first.

    Raises:
        HTTPException: with status 403.
    """
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if not is_same_origin(request):
        raise HTTPException(403, "This request was sent by another site.")
    if FORM_HEADER in request.headers:
        check_form_token(request, request.headers[FORM_HEADER])
    elif not _is_json(request):
        raise HTTPException(
            403, f"Send a bearer token, the header {FORM_HEADER}, or Content-Type: application/json."
        )


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _refusal(error: ValidationError, model: type[BaseModel], place: str, given: Mapping[str, Any]) -> Refusal:
    known = list(model.model_fields)
    properties = TypeAdapter(model).json_schema().get("properties", {})
    refused = []
    for one in error.errors(include_url=False, include_context=False)[:MOST_REFUSED]:
        name = ".".join(map(str, one["loc"]))
        first = str(one["loc"][0]) if one["loc"] else ""
        if one["type"] == "extra_forbidden":
            near = suggestion(name, known)
            allowed: Any = known
            detail = "there is no such parameter" + (f"; did you mean {near}?" if near else "")
        else:
            allowed = properties.get(first)
            detail = str(one["msg"]).removeprefix("Value error, ")
        refused.append(_refused(place, name, given.get(first, one.get("input")), detail, allowed))
    what = "A parameter of the query" if place == "query" else "The body"
    return Refusal(422, f"{what} cannot be used.", refused)


def _refused(place: str, name: str, value: Any, detail: str, allowed: Any = None) -> RefusedValue:
    shown = value if isinstance(value, str) else repr(value)
    return RefusedValue(place, safe(name, _SHOWN), safe(shown, _SHOWN), safe(detail), allowed)
