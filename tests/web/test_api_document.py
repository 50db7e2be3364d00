"""The OpenAPI document: it is valid, it describes everything, and it is what the server does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator
from web_library import client_of

from mediasync import MediaSync
from mediasync.web import create_app
from mediasync.web.api import ENDPOINTS
from mediasync.web.api.document import make_document


@pytest.fixture(scope="module", autouse=True)
def made_here() -> None:
    """Let these tests make the document, where coverage is measured, if others made it before."""
    make_document.cache_clear()


@pytest.fixture
def document() -> dict[str, Any]:
    """The document as JSON has it."""
    found: dict[str, Any] = json.loads(json.dumps(make_document(ENDPOINTS)))
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the operations, each with its method and path."""
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield f"{method.upper()} {path}", operation


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of the document."""
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from schemas(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from schemas(inner)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    parsed = OpenAPI.model_validate(document)
    assert parsed.openapi == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            Draft202012Validator.check_schema(parameter["schema"])
        inside = set(re.findall(r"\{(\w+)\}", path))
        assert {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"} == inside


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    places = [node["$ref"] for node in schemas(document) if isinstance(node.get("$ref"), str)]
    assert len(places) > 100
    for place in places:
        found: Any = document
        for part in place.removeprefix("#/").split("/"):
            found = found[part]


def test_everything_is_described(document: dict[str, Any]) -> None:
    assert len(list(operations(document))) == len(ENDPOINTS)
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for name, operation in operations(document):
        assert operation["summary"], name
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (name, parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        for field, each in schema.get("properties", {}).items():
            assert each.get("description"), (name, field)


def test_no_default_and_no_limit_is_hidden(document: dict[str, Any]) -> None:
    [limit] = [one for one in document["paths"]["/items"]["get"]["parameters"] if one["name"] == "limit"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}


async def test_the_server_offers_it_below_its_own_path(ms: MediaSync, document: dict[str, Any]) -> None:
    async with client_of(create_app(ms)) as client:
        answer = await client.get("/api/v1/openapi.json")
    assert answer.json() == {**document, "servers": [{"url": "/api/v1"}]}
    mounted = httpx.ASGITransport(app=create_app(ms), root_path="/media")
    async with httpx.AsyncClient(transport=mounted, base_url="http://localhost") as client:
        answer = await client.get("/media/api/v1/openapi.json")
    assert answer.json()["servers"] == [{"url": "/media/api/v1"}]
