"""Writing a source into mediasync.toml: comments, order, permissions, secrets, and interruptions."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import mediasync
from mediasync.errors import ConfigurationError
from mediasync.settings.file import read_configuration
from mediasync.settings.secret_files import write_secret
from mediasync.settings.source import SourceConfig
from mediasync.signing_in.credentials import Credentials
from mediasync.signing_in.plan import (
    SourcePlan,
    check_new_id,
    configuration_to_write,
    propose_id,
    write_source,
)

PLAN = SourcePlan("plex", "https://nas:32400", credentials=Credentials({"token": "of-plex", "key": "PEM"}))
KODI = SourcePlan("kodi", "http://den:8080", credentials=Credentials({"password": 'p"w'}, "kodi"))


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_and_its_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mediasync.toml"
    before = os.umask(0)
    try:
        written = write_source(path, "home", PLAN)
    finally:
        os.umask(before)
    assert written.configuration == path
    assert files(path.parent) == ["home.key", "home.token", "mediasync.toml"]
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert mode(path.parent) == 0o700
    assert "of-plex" not in path.read_text()
    source = read_configuration(path).sources["home"]
    assert isinstance(source, SourceConfig)
    assert source.read_secret("token") == "of-plex"
    assert source.key_file == path.parent / "home.key"


FILE = """# My media.

[sources.films]   # on the NAS
folder = "/media/films"

# Where all of it goes.
[database]
url = "media.db"
"""


def test_another_source_leaves_all_else_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "mediasync.toml"
    for before in (FILE, FILE.rstrip("\n"), FILE.replace("\n", "\r\n")):
        path.write_bytes(before.encode())
        path.chmod(0o640)
        write_source(path, "den", KODI)
        assert path.read_bytes().decode().startswith(before)
        assert mode(path) == 0o640
        sources = read_configuration(path).sources
        assert list(sources) == ["films", "den"]
        den = sources["den"]
        assert isinstance(den, SourceConfig)
        assert (den.read_secret("password"), den.username) == ('p"w', "kodi")
        for file in path.parent.glob("den*"):
            file.unlink()


@pytest.mark.parametrize(
    "text",
    [
        'sources = { films = { folder = "f" } } # one line\n',
        'sources.films.folder = "f"\n',
        "[sources]\n",
        "\n",
    ],
)
def test_other_ways_to_write_the_sources(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mediasync.toml"
    path.write_text(text)
    write_source(path, "den", KODI)
    assert read_configuration(path).sources["den"].id == "den"
    assert ("films" in read_configuration(path).sources) == ("films" in text)


def test_a_source_is_replaced_only_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "mediasync.toml"
    path.write_text(
        f'{FILE}\n[sources.den]\nurl = "kodi+http://old" # old\nevery = "6h" # often\npassword = "x"\n'
    )
    before = path.read_text()
    with pytest.raises(
        ConfigurationError, match="has a source 'den' already: choose another name, or replace"
    ):
        write_source(path, "den", KODI)
    assert (path.read_text(), files(tmp_path)) == (before, ["mediasync.toml"])
    for _ in range(2):
        write_source(path, "den", KODI, replace=True)
        assert files(tmp_path) == ["den.password", "mediasync.toml"], "its own file is used again"
        assert tomllib.loads(path.read_text())["sources"]["den"] == {
            "url": "http://den:8080",
            "kind": "kodi",
            "every": "6h",
            "username": "kodi",
            "password_file": "den.password",
        }
        assert "# often" in path.read_text()
        assert "# Where all of it goes." in path.read_text()


def test_a_file_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "home.token").write_text("somebody's")
    written = write_source(tmp_path / "mediasync.toml", "home", PLAN)
    assert [file.name for file in written.secrets] == ["home-2.token", "home.key"]
    assert (tmp_path / "home.token").read_text() == "somebody's"


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path = tmp_path / "mediasync.toml"
    path.symlink_to(tmp_path / "real" / "media.toml")
    written = write_source(path, "home", PLAN)
    assert path.is_symlink()
    assert files(tmp_path / "real") == ["home.key", "home.token", "media.toml"]
    assert written.configuration.parent == tmp_path / "real"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sources", "is not TOML"),
        ("[serces.x]\n", "serces is not a setting"),
        ('sources = "x"\n', "sources is not a table"),
    ],
)
def test_a_file_that_cannot_be_read_stays_as_it_is(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mediasync.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        write_source(path, "home", PLAN)
    assert (path.read_text(), files(tmp_path)) == (text, ["mediasync.toml"])


def test_settings_that_could_not_be_used_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "mediasync.toml"
    bad = SourcePlan("kodi", "http://den", settings={"timezone": "Nowhere"})
    with pytest.raises(ConfigurationError, match=rf"{path}: \[sources.den\] timezone: 'Nowhere' is not"):
        write_source(path, "den", bad)
    assert files(tmp_path) == []
    with pytest.raises(ConfigurationError, match="'Nowhere' is not a time zone"):
        bad.config()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot be written: Permission denied"):
        write_source(tmp_path / "mediasync.toml", "home", PLAN)


def test_a_path_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"mediasync.toml: cannot be written: "):
        write_source(tmp_path / "file" / "mediasync.toml", "home", PLAN)


KILLED = """
import os, sys
from pathlib import Path
from mediasync.settings import secret_files
from mediasync.signing_in.credentials import Credentials
from mediasync.signing_in.plan import SourcePlan, write_source
left = int(sys.argv[2])
def dies(real):
    def step(*arguments):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return real(*arguments)
    return step
secret_files.os.fsync = dies(os.fsync)
secret_files.os.replace = dies(os.replace)
plan = SourcePlan("plex", "https://nas:32400", credentials=Credentials({"token": "of-plex", "key": "PEM"}))
write_source(Path(sys.argv[1]), "home", plan)
"""


@pytest.mark.parametrize("steps", range(7))
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "mediasync.toml"
    path.write_text(FILE)
    root = str(Path(mediasync.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    command = [sys.executable, "-c", KILLED, str(path), str(steps)]
    done = subprocess.run(command, env=environment, check=False)
    sources = read_configuration(path).sources
    assert path.read_text().startswith(FILE)
    if done.returncode == 0:
        assert steps == 6
        assert list(sources) == ["films", "home"]
    else:
        assert (done.returncode, list(sources)) == (9, ["films"])
    assert all(mode(file) == 0o600 for file in tmp_path.iterdir() if "home" in file.name)
    write_source(path, "home", PLAN, replace=True)
    source: Any = read_configuration(path).sources["home"]
    assert source.read_secret("token") == "of-plex"


def test_a_secret_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "t"
    write_secret(file, "one")
    write_secret(file, "two")
    assert (file.read_text(), files(tmp_path)) == ("two\n", ["t"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_secret(tmp_path / "folder", "three")
    assert files(tmp_path) == ["folder", "t"]


def test_which_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    environ = {"MEDIASYNC_CONFIG": str(tmp_path / "named.toml")}
    assert configuration_to_write(None, {}) == home / "config" / "mediasync" / "mediasync.toml"
    (here / "mediasync.toml").write_text("")
    assert configuration_to_write(None, {}) == here / "mediasync.toml"
    assert configuration_to_write(None, environ) == tmp_path / "named.toml"
    assert configuration_to_write("other.toml", environ) == here / "other.toml"


def test_ids_of_new_sources() -> None:
    plan = SourcePlan("jellyfin", "http://nas:8096")
    assert propose_id(plan, "Wohnzimmer Süd!", []) == "wohnzimmer-sud"
    assert propose_id(plan, "Living Room", ["living_room", "living-room-2"]) == "living-room-3"
    assert propose_id(plan, "居間", []) == "jellyfin-nas"
    assert propose_id(plan, "x" * 100, []) == "x" * 40
    assert propose_id(SourcePlan("nfo", folder=Path("/media/films")), "", ["nfo-films"]) == "nfo-films-2"
    assert check_new_id("den", ["home"]) == "den"
    for wrong, message in (
        ("Den", "cannot name a source"),
        ("home", "there is a source 'home' already"),
        ("a_b", "'a-b' and 'a_b' would have the same environment variables"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            check_new_id(wrong, ["home", "a-b"])
