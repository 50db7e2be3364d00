"""Which database a command uses."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync import MediaSync
from mediasync.errors import ConfigurationError
from mediasync.settings import database as config
from mediasync.settings.database import database_url, sqlite_path, sqlite_url
from mediasync.settings.environment import read_setting


def test_the_examples_in_the_docs_are_true() -> None:
    results = doctest.testmod(config)
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("media.db", "sqlite:///media.db"),
        ("my films/media.db", "sqlite:///my%20films/media.db"),
        ("/srv/media.db", "sqlite:////srv/media.db"),
        ("100%?#.db", "sqlite:///100%25%3F%23.db"),
        (":memory:", "sqlite:///:memory:"),
        ("sqlite:///media.db", "sqlite:///media.db"),
        ("postgresql://host/media", "postgresql://host/media"),
    ],
)
def test_a_url_stays_and_a_path_becomes_one(text: str, url: str) -> None:
    assert database_url(text, {}) == url
    assert database_url(None, {"MEDIASYNC_DATABASE": text}) == url


def test_home_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database_url("~/media.db", {}) == f"sqlite:///{tmp_path}/media.db"


def test_the_option_beats_the_environment_and_its_flaws() -> None:
    environ = {"MEDIASYNC_DATABASE": "a.db", "MEDIASYNC_DATABASE_FILE": "/nowhere"}
    assert database_url("b.db", environ) == "sqlite:///b.db"


def test_nothing_asks_for_a_database() -> None:
    assert database_url(None, {}) is None
    assert database_url(None, {"MEDIASYNC_DATABASE": "", "MEDIASYNC_DATABASE_FILE": ""}) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no name"),
        ("  ", "has no name"),
        ("sqlite:media.db", "has slashes"),
        ("SQLite+aiosqlite:media.db", "has slashes"),
        ("postgresql:media", "has slashes"),
        ("~nobody-of-this-name/media.db", "home"),
        ("media\udcff.db", "UTF-8"),
    ],
)
def test_what_is_no_database_is_named(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        database_url(text, {})


def test_a_setting_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("  sqlite:///media.db\n")
    assert read_setting("X", {"X_FILE": str(file)}) == "sqlite:///media.db"


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"\xff", "UTF-8"), (b" \n", "is empty")]
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"X_FILE: '{file}'.*{reason}"):
        read_setting("X", {"X_FILE": str(file)})


def test_both_forms_of_a_setting_are_one_too_many() -> None:
    with pytest.raises(ConfigurationError, match="set only one"):
        read_setting("X", {"X": "a", "X_FILE": "b"})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(lambda name: f"/x/a{name}b"))
def test_a_path_survives_its_url_and_the_database_takes_it(path: str) -> None:
    url = sqlite_url(path)
    assert sqlite_path(url) == Path(path)
    MediaSync(url)


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://", "postgresql://host/media"])
def test_not_every_url_has_a_file(url: str) -> None:
    assert sqlite_path(url) is None
