"""The doctor: what seems to be wrong with the cast data, with examples and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from mediasync.findings import CastExample, CastFinding, Severity
from mediasync.web.links import item_path, person_path
from mediasync.web.rendering import Answer
from mediasync.web.routing import page

if TYPE_CHECKING:
    from mediasync.web.site import Site


async def show(_request: Request, site: Site) -> Answer:
    """Return what the doctor found, as far as it is ready."""
    examination = site.examination
    await examination.look()
    findings = sorted(examination.findings, key=lambda one: -list(Severity).index(one.severity))
    paths = await _paths(site, findings)
    context: dict[str, Any] = {
        "groups": [
            (severity, [one for one in findings if one.severity is severity])
            for severity in reversed(Severity)
        ],
        "paths": paths,
        "running": examination.is_running,
        "began_at": examination.began_at,
        "ended_at": examination.ended_at,
        "error": examination.error,
    }
    document = {
        "running": examination.is_running,
        "began_at": examination.began_at.isoformat() if examination.began_at else None,
        "ended_at": examination.ended_at.isoformat() if examination.ended_at else None,
        "error": examination.error,
        "findings": [one.as_dict() for one in findings],
    }
    return Answer("doctor.html", context, document)


async def _paths(site: Site, findings: list[CastFinding]) -> dict[str, str]:
    """Return the pages of the items and people that the examples name, by their ids."""
    ids = sorted({example.id for finding in findings for example in finding.examples if _is_id(example)})
    people = {one.id for one in await site.ms.library.find_people(ids)}
    items = {one.id for one in await site.ms.library.find_items(ids)}
    return {one: person_path(one) for one in people} | {one: item_path(one) for one in items}


def _is_id(example: CastExample) -> bool:
    return ":" in example.id and example.id.isprintable()


routes = page("/doctor", show)
