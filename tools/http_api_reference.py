"""``python dev.py reference``: make the part of ``docs/reference/http-api.md`` that describes the endpoints.

The OpenAPI document is the source, which in turn is made from the models and docstrings of the package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mediasync.web.api import ENDPOINTS
from mediasync.web.api.document import make_document
from mediasync.web.api.endpoints import PREFIX
from tools.made_page import replace_made_part

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "reference" / "http-api.md"

BEGIN: Final = "<!-- begin: made from the OpenAPI document by `python dev.py reference` -->"
END: Final = "<!-- end: made from the OpenAPI document -->"
_FEW: Final = 8
"""An enumeration with more values is not listed in a table."""

Schema = Mapping[str, Any]


def made_part() -> str:
    """Return the part of the page that is made."""
    return "\n".join(_lines(make_document(ENDPOINTS)))


def page_with(made: str, page: str) -> str:
    """Return the page with its made part replaced."""
    return replace_made_part(made, page, begin=BEGIN, end=END)


def _lines(document: Schema) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for tag in document["tags"]:
        yield from (f"## {tag['name'].capitalize()}", "", tag["description"], "")
        for path, by_method in document["paths"].items():
            for method, operation in by_method.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(method, path, operation, schemas)
    yield from (
        "## Content",
        "",
        "What the answers hold. Fields that may be `null` are marked with “or null”.",
        "",
    )
    for name, schema in schemas.items():
        if "properties" in schema:
            yield from (f"### {name}", "", _cell(schema.get("description", "")), "")
            yield from ("| field | type | |", "|---|---|---|")
            for field, each in schema["properties"].items():
                yield f"| `{field}` | {_type(each, schemas)} | {_cell(each.get('description', ''))} |"
            yield ""


def _operation(method: str, path: str, operation: Schema, schemas: Schema) -> Iterator[str]:
    yield from (f"### {method.upper()} {PREFIX}{path}", "", f"{operation['summary']}.", "")
    if text := operation.get("description"):
        yield from (text, "")
    if {} not in operation["security"]:
        yield from ("Needs a bearer token, or a session with the right to write.", "")
    if parameters := operation.get("parameters"):
        yield from ("| parameter | type | |", "|---|---|---|")
        for one in parameters:
            schema = one["schema"]
            kind = _type(schema, schemas)
            if one["required"]:
                kind += ", required"
            elif schema.get("default") not in (None, [], False):
                default = schema["default"]
                kind += f", `{default if not isinstance(default, bool) else str(default).lower()}` by default"
            yield f"| `{one['name']}` | {kind} | {_cell(one['description'])} |"
        yield ""
    if body := operation.get("requestBody"):
        yield from (f"Takes {_type(body['content']['application/json']['schema'], schemas)}.", "")
    status, answer = next(iter(operation["responses"].items()))
    kind = _type(answer["content"]["application/json"]["schema"], schemas)
    yield from (f"Answers {kind}{'' if status == '200' else f' with status {status}'}.", "")


def _type(schema: Schema, schemas: Schema) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if "properties" in schemas[name]:
            return f"[{name}](#{name.lower()})"
        return _type(schemas[name], schemas)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        kinds = dict.fromkeys(_type(one, schemas) for one in options)
        return " or ".join(kinds)
    if "const" in schema:
        return f"`{schema['const']}`"
    if values := schema.get("enum"):
        return "text" if len(values) > _FEW else ", ".join(f"`{one}`" for one in values)
    kind = schema.get("type", "any value")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}), schemas)}"
    if kind == "string":
        return {"date-time": "time", "date": "date"}.get(schema.get("format", ""), "text")
    if kind in {"integer", "number"}:
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and high is not None and high < 2**31 - 1:
            return f"{kind} from {low:,} to {high:,}"
    return {"null": "null", "object": "object"}.get(kind, kind)


def _cell(text: str) -> str:
    return text.replace("\n\n", " ").replace("|", "\\|")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_with(made_part(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
