"""Renaming a source: every id changes at once, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from support.items import MOVIES, credit, movie
from support.mirror import public, rows, value, write
from support.stored_sources import filled, source

from mediasync import (
    ChangeKind,
    EntityKind,
    MediaSync,
    RenamedSource,
    RunStatus,
    Source,
    WriteContext,
)
from mediasync.backends.base import Enumerated
from mediasync.changes import Fence
from mediasync.copying.rules import NOT_COMPARED
from mediasync.database.tables import tables, view_columns
from mediasync.errors import (
    ConfigurationError,
    InvalidId,
    LeaseLost,
    SourceHeld,
    UnknownLibrary,
    UnknownSource,
)
from mediasync.models import Library
from mediasync.repositories.source_renaming import COLUMNS_WITH_IDS
from mediasync.syncing.processes import at_work

TEXTS = {
    "source": "kind name server_id watermark",
    "library": "remote_id title kind",
    "media_item": "remote_id media_type title original_title sort_title overview tagline premiere_date "
    "content_rating imdb_id tmdb_id tvdb_id path added_text changed_text completeness item_fingerprint "
    "credits_fingerprint change_token sort_key",
    "item_word": "word",
    "item_external_id": "provider value",
    "item_genre": "name",
    "item_rating": "name",
    "item_image": "kind path",
    "person": "name image_path replaced sort_key",
    "person_external_id": "provider value",
    "person_word": "word",
    "credit": "person_type role",
    "sync_run": "status error selection",
    "lease": "holder",
    "due_target": "named_by target media_type kind",
    "run_problem": "kind reason",
    "sync_run_library": "reason",
    "pending_removal": "reason digest",
    "change": "reason entity what",
}
"""The columns of texts that hold no ids by which anything is found, by table."""


def renamed(view: str, found: Iterable[tuple[Any, ...]], old: str, new: str) -> list[tuple[Any, ...]]:
    """Return the rows of a view as they are to be after a renaming."""

    def text(one: Any) -> Any:
        if isinstance(one, str) and (one == old or one.startswith(f"{old}:")):
            return new + one[len(old) :]
        return one

    def inside(one: Any) -> Any:
        return [inside(each) for each in one] if isinstance(one, list) else text(one)

    made = []
    for row in found:
        if view == "changes":
            *start, before, other = map(text, row)
            if before is not None:
                image = json.loads(before)
                for name in {"parent_id", "library_id", "libraries"} & image.keys():
                    image[name] = inside(image[name])
                if "credits" in image:
                    image["credits"] = [[text(one), *rest] for one, *rest in image["credits"]]
                before = json.dumps(image, ensure_ascii=False, separators=(",", ":"))
            made.append((*start, before, other))
        elif view == "media_items":  # titles and the like are no ids
            made.append((*map(text, row[:4]), *row[4:]))
        elif view == "media_people":
            made.append((*map(text, row[:2]), *row[2:]))
        elif view in NOT_COMPARED:  # rows of other views, with titles beside the ids
            columns = view_columns()[view]
            made.append(
                tuple(
                    text(one) if name.endswith("id") else one for name, one in zip(columns, row, strict=True)
                )
            )
        else:
            made.append(tuple(map(text, row)))
    return sorted(made, key=repr)


@pytest.mark.parametrize("new", ["films", "f", "fake-2-and-a-longer-name", "fak_e"])
async def test_every_view_is_the_one_before_with_other_ids(ms: MediaSync, new: str) -> None:
    await filled(ms)
    before = await public(ms)
    report = await ms.rename_source("fake", new)
    counts = {view: len([row for row in before[view] if "fake" in row]) for view in ("libraries",)}
    assert report == RenamedSource(
        "fake",
        new,
        libraries=counts["libraries"],
        items=await value(ms, "SELECT count(*) FROM media_items WHERE source_id = :new", new=new),
        people=await value(ms, "SELECT count(*) FROM person WHERE id LIKE :new", new=f"{new}:%"),
        changes=await value(
            ms,
            "SELECT count(*) - 1 FROM changes WHERE entity_id = :new OR entity_id LIKE :all",
            new=new,
            all=f"{new}:%",
        ),
    )
    after = await public(ms)
    logged = [
        row for row in after["changes"] if row not in renamed("changes", before["changes"], "fake", new)
    ]
    [(_, _, run_id, reason, entity, entity_id, what, image, other)] = logged
    assert (run_id, reason, entity, entity_id, what, other) == (None, "api", "source", new, "changed", None)
    assert json.loads(image) == {"id": "fake", "name": "fake"}
    after["changes"] = [row for row in after["changes"] if row not in logged]
    for view, found in before.items():
        assert after[view] == renamed(view, found, "fake", new), view
    assert (await ms.check()).flaws == ()


async def test_every_column_with_ids_is_declared_filled_and_renamed(ms: MediaSync) -> None:
    """A column of texts that is added to the schema must be renamed, or be listed above."""
    declared = COLUMNS_WITH_IDS | {
        (table, column) for table, names in TEXTS.items() for column in names.split()
    }
    texts = {
        (table.name, column) for table in tables() for column, kind in table.columns.items() if kind == "text"
    }
    assert texts == declared
    assert not COLUMNS_WITH_IDS & {(table, column) for table in TEXTS for column in TEXTS[table].split()}

    async def count(table: str, column: str) -> int:
        text = f"x.{column}"
        return int(
            await value(
                ms,
                f"SELECT count(*) FROM {table} x WHERE {text} = 'fake' OR substr({text}, 1, 5) = 'fake:' "
                f"OR {text} LIKE '%\"fake:%' OR {text} LIKE '%\"fake\"%'",
            )
        )

    await filled(ms)
    for table, column in sorted(COLUMNS_WITH_IDS):
        assert await count(table, column), f"no id in {table}.{column}: the test shows nothing of it"
    await ms.rename_source("fake", "films")
    left = {one: await count(*one) for one in sorted(COLUMNS_WITH_IDS)}
    # The entry of the renaming itself; and the lease, whose number must not be given again.
    assert {one: number for one, number in left.items() if number} == {
        ("change", "before"): 1,
        ("lease", "source_id"): 1,
    }


async def test_a_resync_reads_nothing_again_and_finds_everything_unchanged(ms: MediaSync) -> None:
    await ms.sync(source())
    await ms.rename_source("fake", "films")
    before, newest = await public(ms), await ms.newest_change()
    backend = source("films")
    report = await ms.sync(backend)
    assert (report.saved, report.unchanged, report.status) == (0, 7, RunStatus.SUCCEEDED)
    assert backend.tokens["films"] == dict.fromkeys(("1", "2", "9b"), "of 1995")
    full = await ms.sync(source("films"), full=True)
    assert (full.saved, full.unchanged) == (0, 7)
    after = await public(ms)
    assert {view: after[view] for view in after if not view.startswith("sync_run")} == {
        view: before[view] for view in before if not view.startswith("sync_run")
    }
    assert await ms.newest_change() == newest
    assert await value(ms, "SELECT count(*) FROM media_item WHERE item_fingerprint IS NULL") == 0


async def test_history_from_before_is_found_under_the_new_ids(ms: MediaSync) -> None:
    await filled(ms)
    await ms.rename_source("fake", "films")
    entries = [entry async for entry in ms.history(item_id="films:1")]
    assert [
        (entry.change.what, [(one.name, one.old, one.new) for one in entry.fields]) for entry in entries
    ] == [
        (ChangeKind.ADDED, []),
        (ChangeKind.CHANGED, [("libraries", ["films:films"], ["films:films", "films:more"])]),
        (ChangeKind.CHANGED, [("year", 1994, 1995)]),
    ]
    [gone] = [entry async for entry in ms.history(item_id="films:gone") if entry.change.before]
    assert gone.change.before is not None
    assert gone.change.before["credits"] == [["films:p1", "actor", None]]
    assert gone.change.before["libraries"] == ["films:films"]
    await ms.rename_source("films", "mine")
    of_source = [
        [(field.name, field.old, field.new) for field in entry.fields]
        async for entry in ms.history(source_id="mine")
        if entry.change.entity is EntityKind.SOURCE and entry.fields
    ]
    assert of_source == [
        [("id", "fake", "films"), ("name", "fake", "films")],
        [("id", "films", "mine"), ("name", "films", "mine")],
    ]


@pytest.mark.parametrize(
    ("renamed_one", "others"),
    [("fake", ["fake-2", "fake_2", "fakes"]), ("fake-2", ["fake", "fake-22"]), ("f_ke", ["fake", "f-ke"])],
)
async def test_sources_with_similar_names_stay_as_they_are(
    ms: MediaSync, renamed_one: str, others: list[str]
) -> None:
    for source_id in [renamed_one, *others]:
        await filled(ms, source_id)
    before = await public(ms)

    def of_others(views: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
        def is_of(row: tuple[Any, ...]) -> bool:
            sources = {one.partition(":")[0] for one in row if isinstance(one, str)}
            return bool(sources & {*others}) and not sources & {renamed_one, "new"}

        return {view: list(filter(is_of, found)) for view, found in views.items()}

    assert of_others(before)["changes"]
    await ms.rename_source(renamed_one, "new")
    assert of_others(await public(ms)) == of_others(before)
    assert (await ms.check()).flaws == ()
    for source_id in others:
        assert (await ms.sync(source(source_id))).saved == 0


async def test_an_item_with_another_key_is_still_found_by_it(ms: MediaSync) -> None:
    films = {"library_id": "films", "source_id": "films"}
    await ms.sync(source("fake", {"films": [movie("a", path="/a", change_token="1"), Enumerated(1)]}))
    await ms.sync(source("fake", {"films": [movie("b", path="/a", change_token="1"), Enumerated(1)]}))
    assert await rows(ms, "SELECT id, remote_id FROM media_items") == [("fake:a", "b")]
    await ms.rename_source("fake", "films")
    report = await ms.sync(
        source("films", {"films": [movie("b", path="/a", change_token="1"), Enumerated(1)]})
    )
    assert (report.saved, report.unchanged) == (0, 1)
    result = await ms.media.save_media_item(movie("b", title="New", path="/a"), **films)
    assert result.id == "films:a"


async def test_the_same_process_goes_on_under_the_new_name(ms: MediaSync) -> None:
    ann = [credit("ann", "Ann")]
    await ms.media.save_media_item(movie("1", credits=ann), **MOVIES)
    await ms.rename_source("home", "new")
    of_new = {"library_id": "movies", "source_id": "new"}
    await ms.media.save_media_item(movie("2", credits=ann), **of_new)
    assert [one.id for one in await ms.people.search("ann")] == ["new:ann"]
    with pytest.raises(UnknownLibrary):
        await ms.media.save_media_item(movie("3", credits=ann), **MOVIES)
    # The old name is free for another source.
    await ms.media.save_source(Source(id="home", kind="jellyfin"))
    await ms.media.save_library(Library(id="movies", source_id="home", title="Movies", kind="movies"))
    await ms.media.save_media_item(movie("1", credits=ann), **MOVIES)
    assert [one.id for one in await ms.people.search("ann")] == ["home:ann", "new:ann"]
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize(
    ("old", "new", "error", "text"),
    [
        ("none", "new", UnknownSource, "'none' is not stored"),
        ("home", "other", ConfigurationError, "there is a source 'other' already"),
        ("home", "home", ConfigurationError, "there is a source 'home' already"),
        ("home", "Über", InvalidId, "cannot name a source"),
        ("home", "a" * 101, InvalidId, "at most 100"),
    ],
)
async def test_what_cannot_be_renamed(
    ms: MediaSync, old: str, new: str, error: type[Exception], text: str
) -> None:
    await ms.media.save_source(Source(id="other", kind="nfo"))
    before = await public(ms)
    with pytest.raises(error, match=text):
        await ms.rename_source(old, new)
    assert await public(ms) == before


async def test_ids_that_would_be_too_long_are_refused(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("ü" * 797), **MOVIES)  # 5 + 1,594 bytes of 1,600
    before = await public(ms)
    with pytest.raises(ConfigurationError, match="would be too long"):
        await ms.rename_source("home", "homes1")
    assert await public(ms) == before
    await ms.rename_source("home", "homes")
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("held", ["fake", "films"])
async def test_a_source_that_is_being_synced_is_not_renamed(ms: MediaSync, held: str) -> None:
    """A first sync takes the lease of the new name before it stores a source of that name."""
    await ms.sync(source())
    before = await public(ms)
    with at_work() as holder:
        await write(
            ms,
            "INSERT INTO lease (source_id, fence, holder, expires_at) VALUES (:held, 7, :holder, :never) "
            "ON CONFLICT (source_id) DO UPDATE "
            "SET holder = excluded.holder, expires_at = excluded.expires_at",
            held=held,
            holder=holder,
            never=2**52,
        )
        with pytest.raises(SourceHeld) as caught:
            await ms.rename_source("fake", "films")
    assert caught.value.source_id == held
    assert await public(ms) == before
    await ms.rename_source("fake", "films")


async def test_a_worker_that_was_paused_before_writes_nothing_under_either_name(ms: MediaSync) -> None:
    for _ in range(3):
        await ms.sync(source())
    numbers = dict(await rows(ms, "SELECT source_id, fence FROM lease"))
    await ms.rename_source("fake", "films")
    await ms.sync(source("films"))
    after = dict(await rows(ms, "SELECT source_id, fence FROM lease"))
    assert after["films"] > after["fake"] > numbers["fake"]
    for source_id in ("fake", "films"):
        for number in range(1, after[source_id] + 1):
            with pytest.raises(LeaseLost):
                await ms.media.save_source(
                    Source(id=source_id, kind="plex", name="Late"),
                    context=WriteContext(fence=Fence(source_id, number)),
                )
    assert "Late" not in await rows(ms, "SELECT name FROM sources")


async def test_a_run_that_was_interrupted_stays_interrupted(ms: MediaSync) -> None:
    await ms.sync(source())
    await write(ms, "UPDATE sync_run SET status = 'running', finished_at = NULL")
    await ms.rename_source("fake", "films")
    assert [(run.source_id, run.status) for run in await ms.list_runs()] == [("films", RunStatus.INTERRUPTED)]
