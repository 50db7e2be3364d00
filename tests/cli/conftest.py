"""Fixtures for the tests of the command line, which never touch the real home folder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mediasync.cli import main

sys.path.insert(0, str(Path(__file__).parent))

from cli_runs import Beside, Ended, Run, process_environment, write, write_movie
from support import forked


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder and an empty working folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("MEDIASYNC_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder if name in {"HOME", "USERPROFILE"} else folder / "data"))
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run_here(*arguments: object) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        assert "Traceback" not in written.err or "--debug" in arguments or "MEDIASYNC_DEBUG" in os.environ
        return Ended(code, written.out, written.err)

    return run_here


@pytest.fixture
def run_process(home: Path) -> Run:
    """Run the command line in a separate process."""

    def run_there(
        *arguments: object, env: Mapping[str, str] | None = None, code: str | None = None, **more: Any
    ) -> Ended:
        command = [sys.executable, *(["-c", code] if code else ["-m", "mediasync"]), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, timeout=60, check=False, env=process_environment(env), **more
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_there


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The words that start the command line, quickly if the system can fork it."""
    if not forked.IS_POSSIBLE:
        yield [sys.executable, "-m", "mediasync"]
        return
    folder = tmp_path_factory.mktemp("forks")
    with forked.forking(folder, process_environment()) as text:
        stand_in = folder / "mediasync"
        stand_in.write_text(text)
        stand_in.chmod(0o755)
        yield [str(stand_in)]


@pytest.fixture
def run_fork(home: Path, program: list[str]) -> Run:
    """Run the command line in a separate process that need not import everything again."""

    def run_there(*arguments: object, env: Mapping[str, str] | None = None) -> Ended:
        done = subprocess.run(
            [*program, *map(str, arguments)],
            capture_output=True,
            timeout=60,
            check=False,
            env=process_environment(env),
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_there


@pytest.fixture
def beside(run_fork: Run) -> Beside:
    """The same, while servers in this process answer it."""

    async def run_beside(*arguments: object, env: Mapping[str, str] | None = None) -> Ended:
        return await asyncio.to_thread(run_fork, *arguments, env=env)

    return run_beside


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of two films and a show."""
    root = tmp_path / "library"
    write_movie(
        root,
        "Heat (1995)",
        """<title>Heat</title><originaltitle>Heat!</originaltitle><year>1995</year><runtime>170</runtime>
        <tagline>A Los Angeles crime saga</tagline><plot>A thief and a detective.</plot><mpaa>R</mpaa>
        <ratings><rating name="imdb" max="10"><value>8.3</value><votes>700123</votes></rating></ratings>
        <uniqueid type="imdb">tt0113277</uniqueid><genre>Crime</genre>
        <director>Michael Mann</director><credits>Michael Mann</credits>
        <actor><name>Al Pacino</name><role>Vincent Hanna</role></actor>
        <actor><name>Robert De Niro</name><role>Neil McCauley</role></actor>""",
    )
    write_movie(
        root,
        "Ronin (1998)",
        """<title>Ronin</title><year>1998</year><director>John Frankenheimer</director>
        <actor><name>Robert De Niro</name><role>Sam</role></actor>
        <actor><name>Robert Denard</name></actor>""",
    )
    show = root / "tvshows" / "Dark (2017)"
    write(show / "tvshow.nfo", "<tvshow><title>Dark</title><year>2017</year></tvshow>")
    for number, title in ((1, "Secrets"), (2, "Lies")):
        write(
            show / "Season 01" / f"Dark S01E{number:02}.nfo",
            f"""<episodedetails><title>{title}</title><season>1</season><episode>{number}</episode>
            <director>Baran bo Odar</director><credits>Jantje Friese</credits>
            <actor><name>Louis Hofmann</name><role>Jonas</role></actor></episodedetails>""",
        )
    return root


@pytest.fixture
def synced(run: Run, library: Path) -> Path:
    """The default database, with the library in it."""
    ended = run("sync", f"films=nfo:{library}")
    assert ended.code == 0, ended
    return Path("data/mediasync/mediasync.db").absolute()
