"""A sync that is killed with SIGKILL at random instants is taken up where it stood, until it is through."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.mirror import rows
from support.servers import SERVERS, make_server

from mediasync import MediaSync
from mediasync.testing import FakeServer, Request, Response, make_catalogue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

KILLS = 2
MOST = 1.2
FILMS, SHOWS = 700, 10
SEED = int(os.environ.get("MEDIASYNC_TEST_SEED", "1"))
SCRIPT = Path(__file__).with_name("resumed_sync.py")
CREDITS = "SELECT media_item_id, person_id, person_type, role, sort_order FROM media_people ORDER BY 1, 5"
ITEMS = "SELECT id, library_id, parent_id, title, completeness FROM media_items ORDER BY id"


def make_folder(folder: Path) -> Path:
    """Write NFO files of the same number of films and shows."""
    for number in range(FILMS):
        film = folder / "movies" / f"Film {number}"
        film.mkdir(parents=True)
        cast = "".join(f"<actor><name>Actor {number + n}</name></actor>" for n in range(6))
        (film / "movie.nfo").write_text(f"<movie><title>Film {number}</title>{cast}</movie>")
    for number in range(SHOWS):
        show = folder / "shows" / f"Show {number}"
        show.mkdir(parents=True)
        (show / "tvshow.nfo").write_text(f"<tvshow><title>Show {number}</title></tvshow>")
        for episode in range(1, 21):
            about = f"<title>{episode}</title><season>1</season><episode>{episode}</episode>"
            (show / f"Show S01E{episode:02}.nfo").write_text(f"<episodedetails>{about}</episodedetails>")
    return folder


async def run(url: str, kind: str, where: str, server: FakeServer | None, lifetime: int) -> tuple[int, int]:
    """Sync in a process of its own, and kill it after so many requests, or so many files that it has opened.

    Returns:
        The process' exit code, and the number of requests or files.
    """
    count = 0
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), url, kind, where, stdout=pipe,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip

    def note(number: int) -> None:
        nonlocal count
        count += number
        if count >= lifetime:
            with suppress(ProcessLookupError):
                process.kill()

    if server is not None:
        answer: Callable[[Request], Any] = type(server).handle.__get__(server)

        async def handle(request: Request) -> Response:
            note(1)
            return await answer(request)  # type: ignore[no-any-return]

        server.handle = handle  # type: ignore[method-assign]
    assert process.stdout is not None
    while told := await process.stdout.read(65_536):
        note(told.count(b"."))
    return await process.wait(), count


@pytest.mark.parametrize(
    ("kind", "engine"),
    [*((kind, SQLITE_FILE) for kind in [*SERVERS, "nfo"]), ("plex", POSTGRES)],
    ids=[*SERVERS, "nfo", "plex-postgresql"],
)
async def test_a_killed_sync_reads_only_what_is_missing(
    kind: str, engine: Engine, tmp_path: Path, tell: Callable[[str, str], None]
) -> None:
    chance = random.Random(SEED)
    catalogue = make_catalogue(FILMS, SHOWS, seasons=2, episodes=10, credits_each=6, seed=3)
    server = make_server(kind, catalogue)
    urls = []
    for name in ("clean", "killed"):
        (tmp_path / name).mkdir()
        urls.append(engine.new_mirror_url(tmp_path / name))
    async with AsyncExitStack() as stack:
        if server is not None:
            await stack.enter_async_context(server)
        where = server.url if server else str(make_folder(tmp_path / "files"))
        code, clean = await run(urls[0], kind, where, server, sys.maxsize)
        assert code == 0
        total = kills = 0
        while code != 0 or not kills:
            lifetime = chance.randrange(1, clean) if kills < KILLS else sys.maxsize
            code, number = await run(urls[1], kind, where, server, lifetime)
            kills += code != 0
            total += number
            assert code in {0, -9}
    stored = []
    for url in urls:
        async with MediaSync(url) as ms:
            assert (await ms.check()).flaws == ()
            stored.append([await rows(ms, ITEMS), await rows(ms, CREDITS)])
    assert stored[0] == stored[1]
    what = "files read" if server is None else "requests"
    tell(
        f"SIGKILL while {kind} is synced ({engine.name})",
        f"{kills} kills, {total} {what} instead of {clean}: {total / clean:.2f} times as many (seed {SEED})",
    )
    assert total <= MOST * clean
