"""Whole libraries, from files to rows: what plain SQL says of them is what the truth beside them says."""

from __future__ import annotations

import json
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediasync import MediaSync, RunStatus

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent.parent / "data" / "nfo"
EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "library"

CREDITS = """
SELECT p.name, c.person_type, c.role FROM media_people c JOIN people p ON p.id = c.person_id
WHERE c.media_item_id = ? ORDER BY c.sort_order
"""


@pytest.fixture
def rows(file: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection to the database, as anyone may open it."""
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


def _billing(cast: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def key(actor: dict[str, Any]) -> tuple[bool, int]:
        order = actor.get("order")
        return (True, 0) if order is None or order < 0 else (False, order)

    return sorted(cast, key=key)


def _credits(truth: dict[str, Any], spelling: dict[str, str]) -> list[tuple[str, str, str | None]]:
    """What is to be stored of one item of the manifest, with the first stored spelling of each name."""
    wanted: list[tuple[str, str, str | None]] = []
    for actor in _billing(truth.get("cast", [])):
        if actor["name"].strip():
            wanted.append((actor["name"].strip(), "actor", (actor["role"] or "").strip() or None))
    wanted += [(name, "director", None) for name in truth.get("directors", [])]
    wanted += [(name, "writer", None) for name in truth.get("writers", [])]
    return list(dict.fromkeys((spelling.get(name, name), kind, role) for name, kind, role in wanted))


async def test_the_kodi_library_against_its_manifest(file_url: str, rows: sqlite3.Connection) -> None:
    """Every person, role and order of every film, show and episode is as the manifest says."""
    manifest = json.loads((DATA / "kodi" / "manifest.json").read_text(encoding="utf-8"))
    async with MediaSync(file_url) as ms:
        report = await ms.sync(f"kodi-files=nfo:{DATA / 'kodi'}")
        assert report.status is RunStatus.SUCCEEDED
        assert report.failed == ()
        assert {subject for subject, _ in report.problems} == {
            "kodi-files:movies/Broken Nfo (2002)",
            "kodi-files:movies/Gravity (2013)",
        }
        assert [subject for subject, _ in report.remarks] == [
            "movies/No Nfo At All (2001)/No Nfo At All (2001).mkv"
        ]
        assert (await ms.check()).flaws == ()

    # Spellings that are one person to a source without person ids: whichever was stored first stays.
    spelling: dict[str, str] = {}
    for variants in (
        ("Robert De Niro", "robert de niro"),
        ("Penélope Cruz", "Pene\u0301lope Cruz"),
    ):
        [(stored,)] = rows.execute(
            f"SELECT name FROM people WHERE name IN ({','.join('?' * len(variants))})", variants
        ).fetchall()
        spelling |= dict.fromkeys(variants, stored)

    for film in manifest["movies"]:
        item_id = f"kodi-files:movies/{film['folder']}"
        [found] = rows.execute(
            "SELECT title, year, imdb_id, tmdb_id, overview, original_title, completeness "
            "FROM media_items WHERE id = ?",
            [item_id],
        ).fetchall()
        assert found == (
            film["title"],
            film["year"],
            film["imdb"],
            str(film["tmdb"]),
            film["plot"],
            film.get("original"),
            "full",
        )
        assert rows.execute(CREDITS, [item_id]).fetchall() == _credits(film, spelling), film["title"]
        genres = rows.execute("SELECT name FROM genres WHERE media_item_id = ? ORDER BY position", [item_id])
        assert [name for (name,) in genres] == film["genres"]
    films = "SELECT completeness, count(*) FROM media_items WHERE media_type = 'movie' GROUP BY completeness"
    assert dict(rows.execute(films)) == {"full": len(manifest["movies"]), "preview": 1}

    for show in manifest["tvshows"]:
        [(show_id,)] = rows.execute(
            "SELECT id FROM media_items WHERE media_type = 'show' AND title = ?", [show["title"]]
        ).fetchall()
        assert rows.execute(CREDITS, [show_id]).fetchall() == _credits(show, spelling)
        for episode in show["episodes"]:
            [(episode_id, title)] = rows.execute(
                "SELECT e.id, e.title FROM media_items e JOIN media_items s ON s.id = e.parent_id "
                "WHERE s.parent_id = ? AND e.season_number = ? AND e.episode_number = ?",
                [show_id, episode["season"], episode["episode"]],
            ).fetchall()
            assert title == episode["title"]
            assert rows.execute(CREDITS, [episode_id]).fetchall() == _credits(episode, spelling)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


async def test_what_jellyfin_wrote_against_what_it_read_back(file_url: str, rows: sqlite3.Connection) -> None:
    """Every item that the server read back is there with its people, in the order within each type.

    One difference is wanted: "Writer One / Writer Two" are two people, where the server keeps both them and
    the line as a third.
    """
    truth = json.loads((DATA / "jellyfin-written" / "truth.json").read_text(encoding="utf-8"))
    async with MediaSync(file_url) as ms:
        report = await ms.sync(f"written=nfo:{DATA / 'jellyfin-written'}")
        assert report.failed == ()
        assert (await ms.check()).flaws == ()

    def kind(name: str) -> str:
        return {"GuestStar": "guest_star"}.get(name, name.lower())

    for path, item in truth.items():
        stem = path.removesuffix(".mkv")
        candidates = (stem, str(Path(stem).parent), f"{Path(stem).parent}#s{item['season'] or 0:02}")
        season = f"{Path(path).parent}#s{item['season']:02}" if item["type"] == "Season" else None
        episode = f"{stem}#s{item['season'] or 0:02}e{item['episode'] or 0:02}"
        found = [
            row
            for key in dict.fromkeys(filter(None, (season, episode, *candidates)))
            for row in rows.execute(
                "SELECT id, title FROM media_items WHERE id = ? AND media_type = ?",
                [f"written:{key}", {"Series": "show"}.get(item["type"], item["type"].lower())],
            )
        ]
        assert found, path
        item_id, title = found[0]
        assert title == item["name"], path
        # One person, spelled in two ways of Unicode or of case, has the spelling that was stored first.
        stored = [(_plain(name), *rest) for name, *rest in rows.execute(CREDITS, [item_id])]
        wanted = [
            (_plain(person["name"]), kind(person["type"]), person["role"] or None)
            for person in item["people"]
            if person["name"] != "Writer One / Writer Two"
        ]
        for person_type in {kind for _, kind, _ in (*stored, *wanted)}:
            assert sorted(c for c in stored if c[1] == person_type) == sorted(
                c for c in wanted if c[1] == person_type
            ), (path, person_type)


async def test_a_library_synced_changed_and_synced_again(
    file_url: str, rows: sqlite3.Connection, tmp_path: Path
) -> None:
    """An unchanged library writes no item; a changed file replaces its credits; a broken one keeps them."""
    library = tmp_path / "library"
    shutil.copytree(EXAMPLES, library)
    async with MediaSync(file_url) as ms:
        first = await ms.sync(f"films=nfo:{library}")
        assert first.failed == ()
        assert first.problems == ()
        before = rows.execute("SELECT * FROM media_items ORDER BY id").fetchall()

        again = await ms.sync(f"films=nfo:{library}")
        assert (again.saved, again.unchanged) == (0, first.saved)
        full = await ms.sync(f"films=nfo:{library}", full=True)
        assert (full.saved, full.unchanged) == (0, first.saved)
        assert rows.execute("SELECT * FROM media_items ORDER BY id").fetchall() == before

        nfo = next(path for path in sorted(library.rglob("*.nfo")) if "Citizen Kane" in str(path))
        text = nfo.read_text(encoding="utf-8")
        item_id = f"films:{nfo.parent.relative_to(library).as_posix()}"
        whole = rows.execute(CREDITS, [item_id]).fetchall()

        nfo.write_text(text.replace("Charles Foster Kane", "Kane"), encoding="utf-8")
        changed = await ms.sync(f"films=nfo:{library}")
        assert (changed.saved, changed.unchanged) == (1, first.saved - 1)
        assert rows.execute(CREDITS, [item_id]).fetchall() == [
            (name, kind, "Kane" if role == "Charles Foster Kane" else role) for name, kind, role in whole
        ]

        nfo.write_text(text[: len(text) // 2], encoding="utf-8")
        broken = await ms.sync(f"films=nfo:{library}")
        assert [subject for subject, _ in broken.failed] == [item_id]
        assert len(rows.execute(CREDITS, [item_id]).fetchall()) == len(whole)
