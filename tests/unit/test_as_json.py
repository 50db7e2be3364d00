"""Models, reports and events as JSON, and the names and types by which programs use them."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError

from mediasync import (
    AnyMediaItem,
    Credit,
    Episode,
    Flaw,
    Library,
    LibraryRun,
    MediaItem,
    MediaSync,
    Movie,
    Person,
    RunStatus,
    SaveStatus,
    Season,
    Show,
    SyncReport,
    SyncRun,
    events,
    reports,
)
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.reports import Reported
from mediasync.settings.database import DatabaseOptions

EVERY_TYPE: tuple[MediaItem, ...] = (
    Movie(remote_id="1", title="Film"),
    Show(remote_id="2", title="Show"),
    Season(remote_id="3", title="Season", season_number=1),
    Episode(remote_id="4", title="Episode", season_number=1, episode_number=2),
)


def test_a_dump_has_cast_and_crew_and_is_read_back() -> None:
    director = Credit(person=Person(name="Ada"), person_type="director")
    actor = Credit(person=Person(name="Bob"), person_type="actor", role="Himself")
    for item in EVERY_TYPE:
        item = item.model_copy(update={"credits": [director, actor]})
        for mode in ("python", "json"):
            dumped = item.model_dump(mode=mode)
            assert [credit["person"]["name"] for credit in dumped["cast"]] == ["Bob"]
            assert [credit["person"]["name"] for credit in dumped["crew"]] == ["Ada"]
            assert type(item).model_validate(dumped) == item
        assert type(item).model_validate_json(item.model_dump_json()) == item
    library = Library(id="movies", source_id="home", kind="movies")
    assert library.model_dump()["full_id"] == "home:movies"
    assert Library.model_validate(library.model_dump()) == library
    with pytest.raises(ValidationError, match="casts"):
        Movie.model_validate({"remote_id": "1", "title": "Film", "casts": []})


def test_any_media_item_keeps_the_fields_of_each_type() -> None:
    adapter = TypeAdapter(AnyMediaItem)
    for item in EVERY_TYPE:
        dumped = adapter.dump_python(item, mode="json")
        assert dumped == item.model_dump(mode="json")
        assert adapter.validate_python(dumped) == item
        assert type(adapter.validate_json(adapter.dump_json(item))) is type(item)
    with pytest.raises(ValidationError, match="media_type"):
        adapter.validate_python({"media_type": "album", "remote_id": "1", "title": "x"})


async def test_fastapi_answers_with_all_fields_of_an_item() -> None:
    app = FastAPI()

    @app.get("/items")
    async def list_items() -> list[AnyMediaItem]:
        return list(EVERY_TYPE)  # type: ignore[arg-type]

    @app.post("/items")
    async def save_item(item: AnyMediaItem) -> AnyMediaItem:
        return item

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        listed = (await client.get("/items")).json()
        assert listed == [item.model_dump(mode="json") for item in EVERY_TYPE]
        assert listed[3]["season_number"] == 1
        assert (await client.post("/items", json=listed[3])).json() == listed[3]
        paths = (await client.get("/openapi.json")).json()["paths"]
    answer = paths["/items"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["items"]["discriminator"]["propertyName"] == "media_type"


NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
RUN = SyncRun(id=1, source_id="home", status=RunStatus.SUCCEEDED, started_at=NOW, finished_at=NOW)
LIBRARY = Library(id="movies", source_id="home", title="Films", kind="movies", created_at=NOW)
LIBRARY_RUN = LibraryRun(run_id=1, library_id="home:movies")
VALUES: dict[str, Any] = {
    "source_id": "home",
    "library": LIBRARY,
    "run": RUN,
    "report": SyncReport(
        RUN, failed=(("home:1", "broken"),), libraries=(LibraryRun(run_id=1, library_id="x"),)
    ),
    "error": SourceUnreachable("home", "is not there"),
    "status": SaveStatus.SAVED,
    "checks": ("integrity",),
    "flaws": (Flaw("integrity", "row 1", "is broken"),),
}


KINDS = [
    kind
    for module in (events, reports)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Reported) and kind not in {Reported, events.Event}
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_and_report_is_written_as_json(kind: Any) -> None:
    given = {field.name: VALUES.get(field.name, 1) for field in dataclasses.fields(kind)}
    written = json.loads(json.dumps(kind(**given).as_dict()))
    expected = set(given) | ({"event"} if issubclass(kind, events.Event) else set())
    assert set(written) == expected
    assert written.get("event", kind.__name__) == kind.__name__


def test_what_an_event_says_as_json() -> None:
    event = events.RunFinished("home", VALUES["report"])
    written = event.as_dict()
    assert written["report"]["failed"] == [["home:1", "broken"]]
    assert written["report"]["run"]["started_at"] == "2026-01-02T03:04:00Z"
    failed = events.RunFailed("home", VALUES["error"]).as_dict()
    assert failed["error"] == {"kind": "SourceUnreachable", "message": "source 'home': is not there"}


def test_media_sync_names_the_options_of_the_database() -> None:
    parameters = inspect.signature(MediaSync).parameters
    own = {"url", "read_only", "upgrade", "clock", "client_id"}
    assert {name: parameter.default for name, parameter in parameters.items() if name not in own} == {
        field.name: field.default for field in dataclasses.fields(DatabaseOptions)
    }


@pytest.mark.parametrize(
    ("option", "value", "limits"),
    [
        ("readers", 0, "a whole number from 1 to 64"),
        ("writers", 65, "a whole number from 1 to 64"),
        ("writers", 2.0, "a whole number from 1 to 64"),
        ("readers", True, "a whole number from 1 to 64"),
        (
            "postgres_schema",
            "Media",
            "at most 63 lower-case letters, digits and '_', and not begin with a digit",
        ),
        (
            "postgres_schema",
            "media\n",
            "at most 63 lower-case letters, digits and '_', and not begin with a digit",
        ),
        ("lock_timeout", -0.1, "a number of seconds, 0 or more"),
        ("close_timeout", math.nan, "a number of seconds, 0 or more"),
        ("keep_changes", "1", "a number of days, 0 or more"),
        ("synchronous", "off", "'normal' or 'full'"),
        ("writer_cache_kib", 63, "a whole number of 64 or more"),
        ("reader_cache_kib", 63, "a whole number of 64 or more"),
        ("file_mode", 0o577, "from 0o600 to 0o777"),
    ],
)
def test_an_option_of_the_database_that_cannot_be_used_is_named(option: str, value: Any, limits: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MediaSync("sqlite:///:memory:", **{option: value})
    assert str(caught.value) == f"options of the database: {option} must be {limits}, not {value!r}"


def test_all_options_of_the_database_that_cannot_be_used_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"readers must be .*; writer_cache_kib must be "):
        MediaSync("sqlite:///:memory:", readers=0, writer_cache_kib=0)
