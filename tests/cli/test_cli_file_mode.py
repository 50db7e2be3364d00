"""The permissions of a new database file, as the command is given them."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from cli_runs import Run, write

from mediasync.errors import ConfigurationError
from mediasync.settings.database import parse_file_mode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have no such permissions")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def configure(home: Path, value: str) -> None:
    write(home / "mediasync.toml", f"[database]\nurl = 'media.db'\nfile_mode = {value}\n").chmod(0o600)


@pytest.mark.parametrize(
    ("option", "variable", "key", "mode"),
    [
        (None, None, None, 0o600),
        ("0640", None, None, 0o640),
        (None, "660", None, 0o660),
        (None, None, "'0o644'", 0o644),
        (None, None, "0o640", 0o640),
        ("0600", "0640", "'0644'", 0o600),
        (None, "0640", "'0644'", 0o640),
    ],
)
def test_option_variable_and_file(
    run: Run,
    library: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    variable: str | None,
    key: str | None,
    mode: int,
) -> None:
    if variable is not None:
        monkeypatch.setenv("MEDIASYNC_FILE_MODE", variable)
    configure(home, key or "'0600'")
    given = ["--file-mode", option] if option else []
    ended = run("sync", f"films=nfo:{library}", *given)
    assert (ended.code, "MEDIASYNC_FILE_MODE" in ended.err) == (0, False)
    assert mode_of(home / "media.db") == mode
    if option is None:
        assert run("config", "check", "--json").json["database"]["file_mode"] == f"{mode:04o}"
        assert f"File mode      {mode:04o}" in run("config", "check").out
    (home / "media.db").chmod(0o666)
    assert run("sync", f"films=nfo:{library}", *given).code == 0
    assert mode_of(home / "media.db") == 0o666, "a file that is there keeps its own"
    assert run("copy", "--to", "copy.db", *given).code == 0
    assert mode_of(home / "copy.db") == mode


@pytest.mark.parametrize("text", ["", "rw-r-----", "0999", "0440", "1777", "07777", "-640", "640.0"])
def test_what_cannot_be_permissions_is_said_before_anything_is_made(
    run: Run, library: Path, home: Path, text: str
) -> None:
    ended = run("sync", f"films=nfo:{library}", "--database", "media.db", f"--file-mode={text}")
    assert ended.code == 2
    assert f"--file-mode: {text!r} cannot be the permissions of a database" in ended.err
    assert not (home / "media.db").exists()


@pytest.mark.parametrize("key", ["640", "'rw'", "true", "[6, 4, 0]"])
def test_a_flaw_in_the_file_is_named(run: Run, home: Path, key: str) -> None:
    configure(home, key)
    ended = run("config", "check")
    assert ended.code == 2
    assert "[database] file_mode: " in ended.err
    configure(home, "'0640'\nmode = 5")
    assert "mode is not a setting; did you mean file_mode?" in run("config", "check").err


def test_a_variable_that_is_misspelt_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIASYNC_FILEMODE", "0640")
    assert "did you mean MEDIASYNC_FILE_MODE?" in run("config", "check").err


def test_numbers_are_taken_as_they_are() -> None:
    assert parse_file_mode(0o640, "x") == 0o640
    with pytest.raises(ConfigurationError, match="x: 640 cannot be"):
        parse_file_mode(640, "x")
