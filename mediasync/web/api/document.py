"""The OpenAPI document, made from the endpoints: their models, docstrings and types."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from mediasync.settings.distribution import find_version
from mediasync.web.api.endpoints import Endpoint
from mediasync.web.guard import SESSION_COOKIE, Access
from mediasync.web.problem_documents import PROBLEM_TYPE

JSON: Final = "application/json"

_PARAMETER: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SECTION: Final = re.compile(r"\n\s*\n(Attributes|Args|Example|Raises|Returns):\n")
_ENTRY: Final = re.compile(r"^ {4}(\w+): ", re.MULTILINE)
_GENERIC: Final = re.compile(r'("|#/components/schemas/)([A-Z][a-z]+(?:[A-Z][a-z]+)*)_([A-Z]\w+)_"')
_TAGS: Final = {
    "items": "Movies, shows, seasons and episodes.",
    "people": "People, and who worked on what with whom.",
    "search": "Search as you type.",
    "sources": "Servers and folders, and syncs of them.",
    "runs": "The record of syncs.",
    "changes": "What changed, for programs that follow the mirror.",
    "removed": "Items that their source no longer has.",
}

_COMMON: Final = {
    "media_type": "Whether it is a movie, show, season or episode.",
    "source_id": "The source that has it.",
    "library_id": "The full id of its library.",
    "parent_id": "The id of the show of a season, or of the season of an episode.",
    "created_at": "When it was first stored.",
    "updated_at": "When it was last changed.",
}
"""Descriptions of fields that the docstrings of some models leave out."""

_DESCRIPTION: Final = """
Reads the mirror, starts syncs, and takes changes back. Times are in UTC.

Lists have pages: give `next` of a page as `after` for the one after it, or follow the header `Link`. Cursors
are opaque, and belong to one filter and one order.

Ids hold any character. Percent-encode an id that stands in a path, with its slashes: `%2F`.

Answers have an `ETag`; a request with `If-None-Match` is answered by 304 if nothing has changed. Errors are
problems as RFC 9457 describes them. Unknown parameters are refused.

`/events`, beside `/api`, sends what `/changes` lists as server-sent events.
""".strip()

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why a request was refused or failed (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "`about:blank`."},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "errors": {
            "type": "array",
            "description": "The parts of the request that are refused.",
            "items": {
                "type": "object",
                "required": ["place", "name", "value", "detail"],
                "properties": {
                    "place": {"enum": ["query", "body", "header"]},
                    "name": {"type": "string", "description": "The parameter or field."},
                    "value": {"type": "string", "description": "What was given."},
                    "detail": {"type": "string", "description": "Why it is refused."},
                    "allowed": {"description": "What is allowed, as a JSON schema, or the known names."},
                },
            },
        },
    },
}

_ERRORS: Final = {
    400: "The request cannot be used.",
    401: "Sign in first.",
    403: "This is not allowed.",
    404: "There is no such thing.",
    409: "The present state does not allow it.",
    410: "What was asked for is no longer kept.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A parameter or a field cannot be used; `errors` says which.",
    429: "There were too many wrong tokens.",
    503: "The database does not answer, or too many ask what takes long to answer.",
}


class _Schemas(GenerateJsonSchema):
    """Takes the descriptions of models and fields from docstrings."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        return _described(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        return _described(super().dataclass_schema(schema), schema["cls"])


def _described(made: JsonSchemaValue, cls: type) -> JsonSchemaValue:
    if text := _sections(cls).get(""):
        made["description"] = text
    attributes: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        attributes |= dict(_entries(_sections(each).get("Attributes", "")))
    for name, each in made.get("properties", {}).items():
        each.pop("title", None)
        if text := attributes.get(name) or _COMMON.get(name):
            each["description"] = text
    return made


def _sections(documented: object) -> dict[str, str]:
    """Return the sections of a docstring by their names; the text before them has an empty name."""
    parts = _SECTION.split(inspect.cleandoc(getattr(documented, "__doc__", None) or ""))
    return {"": _plain(parts[0]), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def _entries(section: str) -> Iterator[tuple[str, str]]:
    parts = _ENTRY.split(f"\n{section}")
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        sentence = _plain(text)
        yield name, sentence[:1].upper() + sentence[1:]


def _plain(text: str) -> str:
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return "\n\n".join(paragraphs).replace("``", "`").strip()


@lru_cache(maxsize=1)
def make_document(endpoints: Sequence[Endpoint]) -> Mapping[str, Any]:
    """Return the OpenAPI document of endpoints, without the addresses of servers."""
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
    for endpoint in endpoints:
        name = endpoint.act.__name__
        wanted.append((f"{name} answer", "serialization", endpoint.adapter))
        wanted.append((f"{name} query", "validation", TypeAdapter(endpoint.query)))
        if endpoint.body is not None:
            wanted.append((f"{name} body", "validation", TypeAdapter(endpoint.body)))
    found, definitions = TypeAdapter.json_schemas(
        wanted, ref_template="#/components/schemas/{model}", schema_generator=_Schemas
    )
    schemas = _renamed({name: schema for (name, _), schema in found.items()})
    models = _renamed(definitions.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas, models)
        paths.setdefault(_PARAMETER.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = operation
    queries = {endpoint.query.__name__ for endpoint in endpoints}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mediasync",
            "version": find_version() or "0",
            "summary": "Movie and TV libraries with their full cast and crew.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {
                **{name: schema for name, schema in sorted(models.items()) if name not in queries},
                "Problem": _PROBLEM,
            },
            "responses": {
                str(status): {
                    "description": text,
                    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, text in _ERRORS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The token of the server."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "The session of a browser that is signed in.",
                },
            },
        },
    }


def _renamed(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return schemas with names such as ``PageOfItemSummary`` in place of ``Page_ItemSummary_``."""
    renamed: dict[str, Any] = json.loads(_GENERIC.sub(r'\1\2Of\3"', json.dumps(schemas)))
    return renamed


def _operation(endpoint: Endpoint, schemas: Mapping[str, Any], models: Mapping[str, Any]) -> dict[str, Any]:
    name = endpoint.act.__name__
    summary, _, rest = _sections(endpoint.act)[""].partition("\n\n")
    query = _resolved(schemas[f"{name} query"], models)
    parameters = [*_path_parameters(endpoint), *_query_parameters(query)]
    signed_in: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
    made: dict[str, Any] = {
        "operationId": name,
        "tags": [endpoint.tag],
        "summary": summary.rstrip("."),
        "security": [*signed_in, {}] if endpoint.access is Access.READ else signed_in,
        "responses": _responses(endpoint, schemas[f"{name} answer"]),
    }
    if rest:
        made["description"] = rest
    if parameters:
        made["parameters"] = parameters
    if endpoint.body is not None:
        content = {JSON: {"schema": schemas[f"{name} body"]}}
        made["requestBody"] = {"required": endpoint.needs_body, "content": content}
    return made


def _resolved(schema: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return models[reference.rpartition("/")[2]] if reference else schema


def _path_parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name, convertor in _PARAMETER.findall(endpoint.path):
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if convertor == "number":
            schema = {"type": "integer", "minimum": 0}
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": endpoint.subject[:1].upper() + endpoint.subject[1:] + ".",
            "schema": schema,
        }


def _query_parameters(query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, schema in query.get("properties", {}).items():
        own = {key: value for key, value in schema.items() if key not in {"description", "anyOf"}}
        given = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if given:
            own |= given[0] if len(given) == 1 else {"anyOf": given}
        if own.get("default", ...) is None:
            del own["default"]
        yield {
            "name": name,
            "in": "query",
            "required": name in query.get("required", ()),
            "description": schema.get("description", ""),
            "schema": own,
        }


def _responses(endpoint: Endpoint, answer: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": "The answer.", "content": {JSON: {"schema": answer}}}
    headers: dict[str, Any] = {}
    if endpoint.method == "GET":
        headers["ETag"] = {"description": "Changes with the answer.", "schema": {"type": "string"}}
    if endpoint.has_pages:
        link = "The next page, with `rel=next`, if there is one."
        headers["Link"] = {"description": link, "schema": {"type": "string"}}
    if endpoint.status == 202:
        place = "The path of the state of the sync."
        headers["Location"] = {"description": place, "schema": {"type": "string"}}
        made["description"] = "It is started."
    if headers:
        made["headers"] = headers
    statuses = {400, 401, 403, 422, 429, 503, *endpoint.errors}
    if endpoint.subject:
        statuses.add(404)
    if endpoint.body is not None:
        statuses |= {413, 415}
    return {
        str(endpoint.status): made,
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)},
    }
