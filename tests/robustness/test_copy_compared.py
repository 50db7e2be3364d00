"""A copy is compared with its origin: every row, every column, and the number of rows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.copies import COUNTS, PAIRS, change, filled, new_urls, set_pages
from support.engines import Engine

from mediasync import MediaSync, copy_mirror
from mediasync.copying import verification
from mediasync.copying.verification import comparisons
from mediasync.database.schema import view_names
from mediasync.errors import DatabaseError
from mediasync.testing import database_of

pytestmark = pytest.mark.slow

OF_ITEM = "WHERE item_key = (SELECT item_key FROM media_item WHERE id = 'home:rich')"
TAMPERED = [
    ("sources", "away", "UPDATE source SET server_id = 'other' WHERE id = 'away'"),
    ("libraries", "home:movies", "UPDATE library SET title = 'Other' WHERE id = 'home:movies'"),
    ("people", "home:lonely", "DELETE FROM person_external_id"),
    ("people", "home:lonely", "DELETE FROM person WHERE id = 'home:lonely'"),
    (
        "people",
        "home:more",
        "INSERT INTO person (source_key, id, name, created_at, updated_at) "
        "SELECT source_key, 'home:more', 'More', 0, 0 FROM source WHERE id = 'home'",
    ),
    ("media_items", "home:rich", "UPDATE media_item SET tagline = NULL WHERE id = 'home:rich'"),
    ("media_items", "home:rich", "UPDATE media_item SET created_at = created_at + 1 WHERE id = 'home:rich'"),
    ("media_items", "home:x", "UPDATE media_item SET parent_key = NULL WHERE id = 'home:x'"),
    ("fingerprints", "home:rich", "UPDATE media_item SET item_fingerprint = 'x' WHERE id = 'home:rich'"),
    ("fingerprints", "home:rich", "UPDATE media_item SET change_token = NULL WHERE id = 'home:rich'"),
    ("external_ids", "home:rich", f"UPDATE item_external_id SET value = 'x' {OF_ITEM} AND provider = 'imdb'"),
    ("genres", "home:rich", f"DELETE FROM item_genre {OF_ITEM} AND position = 1"),
    ("ratings", "home:rich", f"UPDATE item_rating SET value = value + 0.0001 {OF_ITEM} AND position = 0"),
    ("images", "home:rich", f"UPDATE item_image SET path = 'x' {OF_ITEM} AND kind = 'poster'"),
    ("media_people", "home:rich", f"UPDATE credit SET role = 'x' {OF_ITEM} AND sort_order = 4"),
    ("media_people", "home:rich", f"DELETE FROM credit {OF_ITEM} AND sort_order = 4"),
    ("removed_items", "fake:r2", "UPDATE media_item SET missing_run = 99 WHERE id = 'fake:r2'"),
    (
        "removed_media_people",
        "fake:r2",
        f"UPDATE credit SET role = 'x' {OF_ITEM.replace('home:rich', 'fake:r2')}",
    ),
    ("pending_removals", "fake:asked", "UPDATE pending_removal SET items = 9"),
    ("sync_runs", 1, "UPDATE sync_run SET saved = saved + 1 WHERE run_key = 1"),
    ("sync_run_problems", 1, "UPDATE run_problem SET reason = 'x' WHERE from_run = 1 AND position = 1"),
]


@pytest.mark.parametrize("engines", PAIRS[:2], ids=lambda pair: f"to {pair[1].name}")
async def test_each_difference_is_found_and_named(
    engines: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = new_urls(engines, tmp_path)
    await filled(urls[0])
    await copy_mirror(*urls)
    for number, (view, row_id, tamper) in enumerate(TAMPERED):
        set_pages(monkeypatch, 1 + number % 5)
        async with both(urls) as (ours, theirs, target):

            async def compared(
                ours: Any = ours, target: MediaSync = target, tamper: str = tamper
            ) -> dict[str, int]:
                """Tamper, compare, and undo it."""

                async def work(session: Any) -> None:
                    assert await session.execute(tamper) == 1
                    raise Undone(await found_by(ours, session))

                with pytest.raises(Undone) as undone:
                    await database_of(target).write(work)
                return undone.value.args[0]

            assert await verification.compare(ours, theirs, lambda *_: None)
            told = str(await compared())
        how = "differs at|lacks rows of|has rows too many of"
        assert re.search(rf"its origin: {view} ({how}) {row_id!r}\. ", told), told


class Undone(Exception):
    """Rolls a transaction back."""


async def found_by(ours: Any, theirs: Any) -> str:
    try:
        await verification.compare(ours, theirs, lambda *_: None)
    except DatabaseError as error:
        return str(error)
    return "nothing was found"


@asynccontextmanager
async def both(urls: tuple[str, str]) -> AsyncIterator[tuple[Any, Any, MediaSync]]:
    """Yield a session of each side, and the target."""
    async with (
        MediaSync(urls[0], read_only=True) as origin,
        MediaSync(urls[1]) as target,
        database_of(origin).read() as ours,
        database_of(target).read() as theirs,
    ):
        yield ours, theirs, target


@pytest.mark.parametrize("engines", PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
async def test_the_counts_are_compared_as_well_as_the_pages(
    engines: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference is found even in a view whose pages show no rows."""
    urls = new_urls(engines, tmp_path)
    await filled(urls[0])
    await copy_mirror(*urls)
    await change(urls[1], f"DELETE FROM item_image {OF_ITEM} AND kind = 'poster'")
    blind = [
        replace(
            one,
            below=[
                (name, f"{query} AND v.kind = 'none'" if name == "images" else query)
                for name, query in one.below
            ],
        )
        for one in comparisons()
    ]
    monkeypatch.setattr(verification, "comparisons", lambda: blind)
    with pytest.raises(DatabaseError, match="images has 1 rows and not 2"):
        await copy_mirror(*urls)


def test_every_view_is_compared() -> None:
    names = [
        name
        for comparison in comparisons()
        for name in (comparison.view, *(below for below, _ in comparison.below))
    ]
    assert sorted([*names, *COUNTS]) == sorted([*view_names(), "fingerprints"])
