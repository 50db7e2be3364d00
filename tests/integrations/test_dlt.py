"""The source for dlt, loaded by the real dlt into the real duckdb."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import prepared, rows

from mediasync import MediaSync
from mediasync.database.tables import view_columns
from mediasync.repositories.replication import CREDIT_COLUMNS, ITEM_COLUMNS, PERSON_COLUMNS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dlt

    from mediasync.integrations.dlt import mediasync_source

VIEWS = {
    "items": ("media_items", ITEM_COLUMNS),
    "people": ("people", PERSON_COLUMNS),
    "credits": ("media_people", CREDIT_COLUMNS),
}
Load = Callable[..., dict[str, int]]


@pytest.fixture(params=[SQLITE_FILE, pytest.param(POSTGRES, marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The file of the destination."""
    return tmp_path / "destination.duckdb"


@pytest.fixture
def load(url: str, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load the mirror into the destination, and return how many rows of each resource were read."""
    for name, value in {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "NORMALIZE__WORKERS": "1",
        "LOAD__WORKERS": "1",
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }.items():
        monkeypatch.setenv(name, value)

    def run(**options: Any) -> dict[str, int]:
        pipeline = dlt.pipeline(
            "films",
            pipelines_dir=str(tmp_path / "pipelines"),
            destination=dlt.destinations.duckdb(str(store)),
            dataset_name="mirror",
        )
        pipeline.run(mediasync_source(url), **options)
        counts = pipeline.last_trace.last_normalize_info.row_counts
        return {name: counts.get(name, 0) for name in VIEWS}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield run


def loaded(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is in the destination."""
    with duckdb.connect(str(store), read_only=True) as connection:
        return {
            name: sorted(
                (
                    tuple(map(_plain, row))
                    for row in connection.execute(
                        f"SELECT {', '.join(columns)} FROM mirror.{name}"
                    ).fetchall()
                ),
                key=repr,
            )
            for name, (_, columns) in VIEWS.items()
        }


async def shown(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the views show."""
    async with MediaSync(url, read_only=True) as ms:
        return {
            name: sorted(
                [
                    tuple(map(_plain, row))
                    for row in await rows(ms, f"SELECT {', '.join(columns)} FROM {view}")
                ],
                key=repr,
            )
            for name, (view, columns) in VIEWS.items()
        }


def _plain(value: Any) -> Any:
    if hasattr(value, "astimezone"):
        from datetime import UTC

        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(json.loads(value), sort_keys=True)
    return value


def change(url: str, *works: Callable[[MediaSync], Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run some work on the mirror."""

    async def run() -> list[Any]:
        async with MediaSync(url) as ms:
            return [await work(ms) for work in works]

    return asyncio.run(run())


async def fill(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_media_items(
        [movie(str(number), credits=cast("a", f"p{number}")) for number in range(5)], **MOVIES
    )
    await ms.media.save_media_items(
        [
            show("s", credits=cast("a", "b")),
            season("s1", "s"),
            episode("e1", "s1", credits=cast("b", "guest")),
        ],
        **SHOWS,
    )


def check(url: str, store: Path) -> None:
    assert loaded(store) == asyncio.run(shown(url))


def write_film(folder: Path, name: str) -> None:
    film = folder / "movies" / name
    film.mkdir(parents=True, exist_ok=True)
    people = "".join(f"<actor><name>{person}</name></actor>" for person in ("Al", f"{name} Star"))
    (film / "movie.nfo").write_text(f"<movie><title>{name}</title>{people}</movie>", encoding="utf-8")


async def sync(ms: MediaSync, folder: Path) -> Any:
    return await ms.sync(f"films=nfo:{folder}")


def save(*items: Any) -> Callable[[MediaSync], Coroutine[Any, Any, Any]]:
    return lambda ms: ms.media.save_media_items(list(items), **MOVIES)


def one(key: str, name: str, **ids: str) -> Any:
    return movie(key, credits=[credit(None, name, provider_ids=ids)])


def test_the_destination_follows_the_mirror(url: str, load: Load, store: Path) -> None:
    change(url, fill)
    assert load() == {"items": 8, "people": 8, "credits": 14}
    check(url, store)

    # A field, a cast, a new item without credits, and one with a person whom another item has, too.
    change(
        url,
        save(movie("1", title="Other", credits=cast("a", "p1")), movie("2", credits=cast("new", "a"))),
        save(movie("9", credits=[]), one("11", "Ann", imdb="nm1"), one("12", "Ann B", tmdb="1")),
    )
    assert load() == {"items": 5, "people": 4, "credits": 7}
    check(url, store)
    assert "home:p2" not in {row[0] for row in loaded(store)["people"]}

    # Two people turn out to be one, and a show goes with its season and its episode.
    change(
        url,
        save(one("13", "Ann", imdb="nm1", tmdb="1")),
        lambda ms: ms.media.delete_media_item("home:s"),
    )
    load()
    check(url, store)
    assert load() == {"items": 0, "people": 0, "credits": 0}


@pytest.mark.parametrize("engine", [SQLITE_FILE], ids=["sqlite-file"])
def test_what_a_sync_removes_is_deleted_and_comes_back(
    engine: Engine, url: str, load: Load, store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    for name in ("Heat", "Ronin", "Dark"):
        write_film(folder, name)
    change(url, lambda ms: sync(ms, folder))
    load()
    before = loaded(store)
    (folder / "movies" / "Heat" / "movie.nfo").unlink()
    [report] = change(url, lambda ms: sync(ms, folder))
    assert load() == {"items": 1, "people": 1, "credits": 1}
    check(url, store)
    assert len(loaded(store)["items"]) == 2
    change(url, lambda ms: ms.undo(report.run.id))
    assert load() == {"items": 1, "people": 2, "credits": 2}
    check(url, store)
    assert {row[0] for row in loaded(store)["people"]} == {row[0] for row in before["people"]}


@pytest.mark.parametrize("engine", [SQLITE_FILE], ids=["sqlite-file"])
def test_a_load_that_cannot_go_on_says_what_to_do(engine: Engine, url: str, load: Load, store: Path) -> None:
    change(url, fill)
    load()
    change(url, lambda ms: ms.rename_source("home", "house"))
    with pytest.raises(Exception, match=r"'home' was renamed.*Load everything anew"):
        load()
    assert load(refresh="drop_sources")["items"] == 8
    check(url, store)
    change(
        url,
        lambda ms: ms.media.save_media_item(
            movie("1", title="Other"), library_id="movies", source_id="house"
        ),
        lambda ms: ms.prune_changes(0),
    )
    with pytest.raises(Exception, match=r"Load everything anew: pipeline\.run\(…, refresh='drop_sources'\)"):
        load()


@pytest.mark.parametrize("engine", [SQLITE_FILE], ids=["sqlite-file"])
async def test_it_loads_while_an_event_loop_runs(engine: Engine, url: str, load: Load, store: Path) -> None:
    async with MediaSync(url) as ms:
        await fill(ms)
    assert load()["items"] == 8
    assert loaded(store) == await shown(url)


@pytest.mark.parametrize(("view", "columns"), VIEWS.values())
def test_the_columns_are_those_of_the_views(view: str, columns: tuple[str, ...]) -> None:
    assert list(columns) == list(view_columns()[view])


def test_without_dlt_the_error_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['dlt'] = None\n"
        "from mediasync.errors import ConfigurationError\n"
        "try:\n"
        "    import mediasync.integrations.dlt\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "mediasync.integrations.dlt needs dlt, which is not installed: pip install 'mediasync-mirror[dlt]'\n"
    )
