"""Whether the server lives, whether it is ready, and what it measures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.mirror import write
from web_library import TOKEN, client_of, on_both_engines

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def client(ms: MediaSync) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token, which may read nothing."""
    async with client_of(create_app(ms, guard=Guard(TOKEN, default=Access.NONE))) as client:
        yield client


async def measured(
    client: httpx.AsyncClient, headers: dict[str, str] = BEARER
) -> dict[tuple[str, ...], float]:
    """Return the samples of the metrics, by name and label values."""
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_server_that_is_ready_says_so_to_everybody(client: httpx.AsyncClient) -> None:
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert answer.headers["cache-control"] == "no-store"


@on_both_engines
async def test_a_schema_of_another_version_is_not_ready(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await write(ms, "UPDATE schema_version SET version = version + 1")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert "schema" in answer.json()["reason"]
    assert (await client.get("/healthz")).status_code == 200


async def test_a_mirror_that_is_closed_is_not_ready(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await ms.close()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the mirror is not open")


@on_both_engines
async def test_a_database_that_fails_is_not_ready_and_not_named(
    ms: MediaSync, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await write(ms, "ALTER TABLE schema_version RENAME TO other")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the database does not answer")
    assert "other" not in answer.text
    assert str(tmp_path) not in answer.text


@on_both_engines
async def test_the_metrics_tell_how_much_is_stored_and_how_syncs_went(client: httpx.AsyncClient) -> None:
    found = await measured(client)
    assert found["mediasync_items", "examples"] == 34
    assert found["mediasync_people", "examples"] == 377
    assert found["mediasync_credits", "examples"] == 421
    assert found["mediasync_pending_removals", "examples"] == 0
    assert found["mediasync_syncs_running",] == 0
    assert found["mediasync_last_run_status", "examples", "succeeded"] == 1
    assert found["mediasync_last_run_status", "examples", "failed"] == 0
    assert found["mediasync_last_run_end_timestamp_seconds", "examples"] > 1_700_000_000
    assert found["mediasync_last_run_duration_seconds", "examples"] >= 0


async def test_requests_are_counted_by_route_whatever_is_asked(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.get(f"/api/v1/items/examples%3A{number}?x={number}", headers=BEARER)
        await client.get(f"/nowhere/{number}.json", headers=BEARER)
        await client.request(f"ODD{number}", "/healthz")
    found = await measured(client)
    count = "mediasync_http_request_seconds_count"
    assert found[count, "GET", "/api/v1/items/{id:path}", "422"] == 3
    assert found[count, "GET", "none", "404"] == 3
    assert found[count, "other", "/healthz", "405"] == 3
    assert found["mediasync_http_request_seconds_bucket", "+Inf", "GET", "none", "404"] == 3


async def test_metrics_are_for_those_who_may_read(ms: MediaSync, client: httpx.AsyncClient) -> None:
    refused = await client.get("/metrics")
    assert refused.status_code == 401
    assert "Bearer" in refused.headers["www-authenticate"]
    guard = Guard(TOKEN, default=Access.NONE)
    async with client_of(create_app(ms, guard=guard, public_metrics=True)) as everybody:
        answer = await everybody.get("/metrics")
        assert answer.status_code == 200
        assert TOKEN not in answer.text
        assert (await everybody.get("/api/v1/items")).status_code == 401


async def test_two_apps_in_one_process_measure_for_themselves(ms: MediaSync) -> None:
    async with client_of(create_app(ms)) as one, client_of(create_app(ms)) as other:
        await one.get("/healthz")
        key = ("mediasync_http_request_seconds_count", "GET", "/healthz", "200")
        assert (await measured(one, {}))[key] == 1
        assert key not in await measured(other, {})


async def test_prometheus_may_ask_for_its_newer_format(client: httpx.AsyncClient) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = await client.get("/metrics", headers={**BEARER, **accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
