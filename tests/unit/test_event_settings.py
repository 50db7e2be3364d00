"""The settings of a source that concern its events."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mediasync import SourceConfig
from mediasync.errors import ConfigurationError
from mediasync.settings.file import read_configuration, with_environment

SECRET = "correct-horse-battery"


def config(**settings: object) -> SourceConfig:
    return SourceConfig.model_validate({"id": "films", "folder": "x", **settings})


def test_sources_are_listened_to_and_take_no_webhooks_by_default() -> None:
    source = config()
    assert (source.events, source.events_poll, source.read_secret("hook_secret")) == (True, None, None)


def test_the_secret_of_webhooks_is_read_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "mediasync.toml").write_text(
        '[sources.films]\nfolder = "x"\nhook_secret_file = "secret"\nevents = false\nevents_poll = 60\n'
    )
    source = read_configuration(tmp_path / "mediasync.toml").sources["films"]
    assert isinstance(source, SourceConfig)
    assert source.read_secret("hook_secret") == SECRET
    assert (source.events, source.events_poll) == (False, 60)
    given = config(hook_secret=SECRET)
    assert given.read_secret("hook_secret") == SECRET
    assert SECRET not in repr(given)
    (tmp_path / "secret").write_text("short\n")
    with pytest.raises(
        ConfigurationError, match=r"hook_secret of source 'films': .* is not safe: write at least 16"
    ):
        source.read_secret("hook_secret")


def test_the_environment_gives_it() -> None:
    source = with_environment(
        config(hook_secret_file="elsewhere"),
        {"MEDIASYNC_FILMS_HOOK_SECRET": SECRET, "MEDIASYNC_FILMS_EVENTS": "false"},
    )
    assert source.read_secret("hook_secret") == SECRET
    assert not source.events


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"hook_secret": "short"}, "write at least 16 letters"),
        ({"hook_secret": "with spaces and more of them"}, "write at least 16 letters"),
        ({"hook_secret": SECRET, "hook_secret_file": "x"}, "give only one of them"),
        ({"events_poll": 0.5}, "greater than or equal to 1"),
        ({"events": "perhaps"}, "valid boolean"),
    ],
)
def test_what_cannot_be_used_is_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as caught:
        config(**settings)
    assert SECRET not in str(caught.value)


def test_a_server_is_not_polled() -> None:
    with pytest.raises(ValidationError, match="plex has no events_poll"):
        SourceConfig.model_validate({"kind": "plex", "url": "http://plex", "events_poll": 5})
