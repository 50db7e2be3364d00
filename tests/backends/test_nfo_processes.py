"""NFO files that other processes read and parse."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nfo_reading import actor, make_backend, movie, read, write

from mediasync.backends.base import Found, NothingStored
from mediasync.backends.nfo.film_findings import film_findings
from mediasync.backends.nfo.folders.files import NfoFile
from mediasync.backends.nfo.loading import Failed, Loaded, parse_file
from mediasync.backends.nfo.parser_processes import ParserProcesses, count_spare_cores
from mediasync.vocabulary import MediaType

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="child processes are looked up in /proc")

LIMIT = 1 << 20


def nfo_files(root: Path, number: int = 3) -> list[NfoFile]:
    """Write films with people, a damaged one and an empty one, and return their files."""
    cast = actor("Ada") + actor("Bob") + "<director>Cy</director><credits>Dee / Eve</credits>"
    texts = {f"{n}.nfo": movie(f"Film {n}", cast) for n in range(number)}
    texts |= {"damaged.nfo": "<movie><title>Broken</titel>" + cast, "empty.nfo": "", "nothing.nfo": "words"}
    write(root, texts)
    return [NfoFile(path, path, MediaType.MOVIE, path, path) for path in [*texts, "missing.nfo"]]


async def parsed(processes: ParserProcesses, files: list[NfoFile]) -> list[Loaded | Failed]:
    """Return the outcomes as soon as a process has started."""
    async with asyncio.timeout(60):
        while (outcomes := await processes.parse(files)) is None:
            await asyncio.sleep(0.01)
    return outcomes


@asynccontextmanager
async def running(root: Path, count: int) -> AsyncIterator[ParserProcesses]:
    """Yield parsers of a folder, and make sure that none is left."""
    processes = ParserProcesses(str(root), LIMIT, count)
    try:
        yield processes
    finally:
        await processes.close()
    assert children() == []


async def stopped_child(processes: ParserProcesses, files: list[NfoFile]) -> int:
    """Suspend the only process once it has started, and return its id."""
    await parsed(processes, files)
    [child] = children()
    os.kill(child, signal.SIGSTOP)
    return child


async def test_a_process_finds_what_this_one_finds(tmp_path: Path) -> None:
    files = nfo_files(tmp_path)
    async with running(tmp_path, 2) as processes:
        there = await parsed(processes, files)
    here = [parse_file(str(tmp_path), file.path, file.kind, LIMIT) for file in files]
    assert there == here
    loaded = [outcome for outcome in there if isinstance(outcome, Loaded)]
    assert [record.title for outcome in loaded for record in outcome.records][:3] == [
        "Film 0",
        "Film 1",
        "Film 2",
    ]
    found = [one for file, outcome in zip(files, there, strict=True) for one in film_findings(file, outcome)]
    for credit in (credit for one in found if isinstance(one, Found) for credit in one.item.credits or []):
        assert type(credit).model_validate(credit.model_dump()) == credit
        credit.person.name = "Another"  # a model like any other
        assert credit.model_copy(deep=True) == credit


async def test_files_of_a_process_that_was_killed_are_left_to_the_caller(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = nfo_files(tmp_path)
    async with running(tmp_path, 1) as processes:
        child = await stopped_child(processes, files)
        asked = [asyncio.create_task(processes.parse(files)) for _ in range(3)]
        await asyncio.sleep(0)
        os.kill(child, signal.SIGKILL)
        assert await asyncio.gather(*asked) == [None, None, None]
        assert await processes.parse(files) is None
    assert "a process that reads NFO files ended (status -9)" in caplog.text


async def test_a_process_answers_several_requests_in_their_order(tmp_path: Path) -> None:
    files = nfo_files(tmp_path, 40)
    async with running(tmp_path, 1) as processes:
        processes.start()
        await parsed(processes, files)
        parts = [files[place : place + 5] for place in range(0, len(files), 5)]
        answers = await asyncio.gather(*map(processes.parse, parts))
        assert len(children()) == 1
    for part, answer in zip(parts, answers, strict=True):
        assert answer == [parse_file(str(tmp_path), file.path, file.kind, LIMIT) for file in part]


async def test_a_cancelled_call_takes_no_answer_from_another(tmp_path: Path) -> None:
    files = nfo_files(tmp_path)
    async with running(tmp_path, 1) as processes:
        child = await stopped_child(processes, files)
        first, second = (asyncio.create_task(processes.parse(files)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second is None
        with pytest.raises(asyncio.CancelledError):
            await first
        assert len(await parsed(processes, files)) == len(files)
        [other] = children()
        assert other != child


async def test_a_call_can_be_cancelled_while_nobody_reads_its_large_answer(tmp_path: Path) -> None:
    cast = "".join(actor(f"Person {n}", "x" * 1_000) for n in range(300))
    write(tmp_path, {f"{n}.nfo": movie(f"Film {n}", cast) for n in range(10)})
    files = [NfoFile(f"{n}.nfo", f"{n}.nfo", MediaType.MOVIE, f"{n}", f"{n}.nfo") for n in range(10)]
    async with running(tmp_path, 1) as processes:
        for _ in range(5):
            await parsed(processes, files)
            first, second = (asyncio.create_task(processes.parse(files)) for _ in range(2))
            assert await first is not None
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second


async def test_an_unchanged_library_starts_no_process(tmp_path: Path) -> None:
    for number in range(300):
        write(tmp_path, {f"movies/Film {number:04}/movie.nfo": movie(str(number))})
    tokens = (await read(tmp_path, processes=0)).tokens
    backend = make_backend(tmp_path, processes=1)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        async for _ in backend.iter_items(library, NothingStored(tokens)):
            assert children() == []
        assert children() == []


async def test_a_cancelled_call_makes_room_for_a_new_process(tmp_path: Path) -> None:
    files = nfo_files(tmp_path)
    async with running(tmp_path, 1) as processes:
        child = await stopped_child(processes, files)
        asked = asyncio.create_task(processes.parse(files))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert len(await parsed(processes, files)) == len(files)
        assert child not in children()


@pytest.mark.parametrize("program", ["/bin/true", "/nowhere/python", "/bin/cat"])
async def test_without_a_python_of_its_own_no_process_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mediasync")
    monkeypatch.setattr(sys, "executable", program)
    for number in range(300):
        write(tmp_path, {f"movies/Film {number:04}/movie.nfo": movie(str(number))})
    found = await read(tmp_path, processes=2)
    assert len(found.items) == 300
    assert children() == []


@pytest.mark.parametrize("processes", [0, 1, 2])
async def test_a_library_is_the_same_with_and_without_processes(tmp_path: Path, processes: int) -> None:
    for number in range(600):
        people = actor(f"Actor {number % 7}") + "<director>One</director>"
        write(tmp_path, {f"movies/Film {number:04}/movie.nfo": movie(f"Film {number}", people)})
    write(
        tmp_path,
        {"movies/Two/a.nfo": movie("A"), "movies/Two/b.nfo": movie("B"), "movies/Bad/movie.nfo": "<m"},
    )
    backend = make_backend(tmp_path, processes=processes)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        findings = [finding async for finding in backend.iter_items(library, NothingStored())]
        while processes and not children():  # they may start later than all files are read
            await asyncio.sleep(0.01)
        again = [finding async for finding in backend.iter_items(library, NothingStored())]
    plain = make_backend(tmp_path, processes=0)
    async with plain.open():
        [library] = await plain.fetch_libraries()
        expected = [finding async for finding in plain.iter_items(library, NothingStored())]
    assert findings == again == expected
    assert children() == []


def test_the_number_of_processes_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="processes must be 0 or more"):
        make_backend(tmp_path, processes=-1)
    assert count_spare_cores() == (os.cpu_count() or 1) - 1


def children() -> list[int]:
    """Return the parsers among the child processes of this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text().rpartition(") ")[2].split()
            command = (entry / "cmdline").read_bytes()
        except (OSError, ProcessLookupError):
            continue
        if int(status[1]) == os.getpid() and status[0] != "Z" and b"parser_process" in command:
            found.append(int(entry.name))
    return found
