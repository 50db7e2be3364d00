"""The log records, their loggers, and what the command shows: ``-q``, ``-v``, ``--log-format json``."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Beside, Ended, Run, process_environment, write_movie

from mediasync import MediaSync, Source
from mediasync.backends.jellyfin import JellyfinBackend
from mediasync.backends.plex import PlexBackend
from mediasync.cli.logs import PACKAGE, logging_to
from mediasync.cli.output import Output
from mediasync.testing import FakeJellyfin, FakePlex, Fault, make_catalogue

TOKEN = "s3cr3t-t0ken"


def lines(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a text, one per line."""
    return [json.loads(line) for line in text.splitlines()]


async def run_on_terminal(*arguments: str, columns: int, env: Mapping[str, str]) -> str:
    """Return the output of the command on a terminal, while servers in this process answer it."""
    import pty

    parent, child = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mediasync",
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=child,
        env=process_environment({"TERM": "xterm", "COLUMNS": str(columns), **env}),
    )
    os.close(child)

    def read_all() -> bytes:
        shown = b""
        with suppress(OSError):  # a terminal that nobody holds open any more cannot be read
            while part := os.read(parent, 65536):
                shown += part
        return shown

    shown = await asyncio.to_thread(read_all)
    os.close(parent)
    assert await process.wait() == 0
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("columns", [60, 120])
async def test_a_terminal_shows_how_many_items_a_server_has(columns: int, tmp_path: Path) -> None:
    async with FakeJellyfin(make_catalogue(films=450, shows=0), api_key=TOKEN) as server:
        is_late = lambda request: request.first("startIndex") == "400"  # noqa: E731
        server.faults = [Fault.slow(1.0, at=is_late)]
        shown = await run_on_terminal(
            "sync",
            f"fin=jellyfin+{server.url}",
            "--database",
            str(tmp_path / "media.db"),
            columns=columns,
            env={"MEDIASYNC_FIN_TOKEN": TOKEN},
        )
    assert re.search(r"\d+ of 450", shown), shown


async def test_a_run_is_one_line_and_requests_and_groups_are_logged_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    catalogue = make_catalogue(films=3, shows=1)
    caplog.set_level(logging.DEBUG, "mediasync")
    async with MediaSync("sqlite:///:memory:") as ms:
        async with FakeJellyfin(catalogue, api_key=TOKEN) as server:
            source = Source(id="fin", kind="jellyfin")
            await ms.sync(JellyfinBackend(server.url, source=source, token=TOKEN))
        async with FakePlex(catalogue, token=TOKEN) as plex:
            source = Source(id="plex", kind="plex")
            await ms.sync(PlexBackend(plex.url, source=source, token=TOKEN, client_id="test"))
        wrong = PlexBackend("http://127.0.0.1:1", source=source, token=TOKEN, client_id="test")
        assert [type(error).__name__ for error in await ms.sync_all([wrong])] == ["SourceUnreachable"]
    own = [record for record in caplog.records if record.name.startswith("mediasync.")]
    assert {record.name for record in own} == {"mediasync.sync", "mediasync.http", "mediasync.saving"}
    told = [record.getMessage() for record in own if record.levelno >= logging.INFO]
    assert [text.partition(":")[0] for text in told] == ["fin", "plex", "plex"]
    assert "plex: not synced: " in told[2]
    for name, beginning in (
        ("mediasync.http", "fin: GET /System/Info/Public answered: "),
        ("mediasync.http", "plex: GET /library/sections answered: "),
        ("mediasync.http", "plex: GET /identity: no connection to 127.0.0.1:1"),
        ("mediasync.saving", "a group of "),
    ):
        assert any(one.name == name and one.getMessage().startswith(beginning) for one in own), beginning
    assert {record.levelname for record in own if record.name != "mediasync.sync"} == {"DEBUG"}
    assert TOKEN not in caplog.text


async def test_a_failed_item_is_a_warning(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    write_movie(tmp_path, "Heat (1995)", "<title>Heat</title>")
    write_movie(tmp_path, "Broken", "").write_bytes(b"\0\1\2")
    async with MediaSync("sqlite:///:memory:") as ms:
        report = await ms.sync(f"films=nfo:{tmp_path}")
    [(item_id, reason)] = report.failed
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"failed: {item_id}: {reason}"
    ]


async def test_the_command_shows_the_log_and_no_line_of_other_libraries(
    beside: Beside, tmp_path: Path
) -> None:
    environ = {"MEDIASYNC_FIN_TOKEN": TOKEN}
    async with FakeJellyfin(make_catalogue(films=3, shows=1), api_key=TOKEN) as server:
        arguments = ["sync", f"fin=jellyfin+{server.url}", "--database", str(tmp_path / "media.db")]
        verbose = await beside(*arguments, "-v", env=environ)
        quiet = await beside(*arguments, "--quiet", env=environ)
        as_json = await beside(*arguments, "--log-format", "json", env=environ)
        all_as_json = await beside("-v", *arguments, "--log-format", "json", "--full", env=environ)
    assert [ended.code for ended in (verbose, quiet, as_json, all_as_json)] == [0, 0, 0, 0]
    assert "mediasync: fin: GET /System/Info/Public answered: " in verbose.err
    assert "mediasync: a group of " in verbose.err
    assert all(line.startswith("mediasync: ") for line in verbose.err.splitlines())
    for text in ("httpx", "HTTP Request", "httpcore", "databases", "aiosqlite", TOKEN):
        assert text not in verbose.err + all_as_json.err
    assert (quiet.out, quiet.err) == ("", "")
    [line] = lines(as_json.err)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    message = line.pop("message")
    assert message.startswith("fin: 12 seen, 0 saved, 12 unchanged, 0 failed in ")
    assert line == {"level": "info", "logger": "mediasync.sync", "source_id": "fin", "run_id": 3}
    assert {line["logger"] for line in lines(all_as_json.err)} == {
        "mediasync.sync",
        "mediasync.http",
        "mediasync.saving",
    }
    assert as_json.out == (
        "fin\n  12 items seen, 0 saved, 12 unchanged, 0 failed\n  nothing changed\n"
        f"Database: {tmp_path}/media.db\n"
    )


def test_quiet_still_reports_what_went_wrong(run: Run, library: Path) -> None:
    ended = run("sync", f"films=nfo:{library}", "away=nfo:/not/there", "-q")
    assert ended.code == 3
    assert ended.out.startswith("away\n  not synced: ")
    assert ended.err.startswith("mediasync: away: ")
    assert "films" not in ended.out + ended.err
    write_movie(library, "Broken", "").write_bytes(b"\0\1\2")
    ended = run("-q", "sync", f"films=nfo:{library}")
    assert (ended.code, ended.err) == (1, "")
    assert "1 failed; what was stored of them before stays:" in ended.out
    assert run("sync", f"films=nfo:{library}", "-q", "--json").json["sources"][0]["status"] == "succeeded"
    assert run("copy", "--to", "copy.db", "-q") == Ended(0, "", "")
    ended = run("-q", "show", "heat")
    assert (ended.code, ended.out.startswith("Heat (1995)")) == (0, True)


def test_errors_and_notes_are_json_lines_too(
    run: Run, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIASYNC_DATABSE", "x")
    ended = run("--log-format", "json", "status")
    assert ended.code == 4
    warning, error = lines(ended.err)
    assert "MEDIASYNC_DATABSE" in warning["message"]
    assert (error["level"], error["logger"]) == ("error", "mediasync.cli")
    ended = run("sync", f"films=nfo:{library}", "away=nfo:/not/there", "--log-format", "json", "--debug")
    told = lines(ended.err)
    assert [line["message"] for line in told if line["level"] == "warning" and "source_id" in line] == [
        "away: not synced: its folder '/not/there' cannot be listed: No such file or directory"
    ]
    assert any("Traceback" in line.get("traceback", "") for line in told)
    assert run("sync", "nfo:x", "--log-format", "xml").code == 2
    ended = run("sync", "nfo:x", "-q", "-v")
    assert (ended.code, "exclude each other" in ended.err) == (2, True)


def test_the_log_is_as_it_was_afterwards(run: Run, library: Path) -> None:
    before = (PACKAGE.level, list(logging.getLogger().handlers))
    assert run("sync", f"films=nfo:{library}", "-v").code == 0
    assert (PACKAGE.level, list(logging.getLogger().handlers)) == before


def test_warnings_of_other_libraries_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(Output(as_json=False, debug=False)):
        logging.getLogger("asyncio").error("something\nis wrong")
        logging.getLogger("httpx").info("HTTP Request: GET https://host")
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=KeyError("s3cret"))
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "mediasync: something is wrong",
        "mediasync: Exception in ASGI application: KeyError (--debug shows where)",
    ]


def test_errors_of_arguments_and_warnings_are_json_lines_too(
    run: Run, synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["--log-format", "json", "--nosuch"], ["--log-format=json", "--jobs", "none"]):
        ended = run("sync", *arguments)
        [line] = lines(ended.err)
        assert (ended.code, line["level"], line["logger"]) == (2, "error", "mediasync.cli")
    monkeypatch.setenv("MEDIASYNC_DATABSE", "x")
    [warning, error] = lines(run("sync", "nfo:nowhere", "--log-format", "json").err)[:2]
    assert (warning["level"], "MEDIASYNC_DATABASE" in warning["message"]) == ("warning", True)
    assert error["level"] in {"warning", "error"}
