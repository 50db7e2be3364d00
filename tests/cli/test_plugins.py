"""Kinds of source that an installed distribution adds, or a program registers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli_runs import ROOT, Run

from mediasync import MediaSync, SourceConfig
from mediasync.backends.nfo import NfoBackend
from mediasync.errors import ConfigurationError
from mediasync.settings.source import parse_source
from mediasync.settings.source_kinds import SOURCE_KINDS, BackendContext, SourceKinds, SourceKindSpec

PLUGINS = Path(__file__).parent.parent / "data" / "plugins"
FILMS = [
    {"id": "heat", "title": "Heat", "version": "1", "director": "Michael Mann"},
    {"id": "ran", "title": "Ran", "version": "1", "director": "Akira Kurosawa"},
]
INSTALLED = {"PYTHONPATH": f"{PLUGINS}{os.pathsep}{ROOT}"}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A file that the plug-in reads."""
    file = tmp_path / "films.json"
    file.write_text(json.dumps(FILMS))
    return file


def test_the_command_finds_the_backend_of_an_installed_plug_in(run_fork: Run, films: Path) -> None:
    for saved, unchanged in ((2, 0), (0, 2)):
        ended = run_fork("sync", f"mine=json:{films}", "--database", "x.db", "--json", env=INSTALLED)
        assert ended.code == 0
        [source] = ended.json["sources"]
        assert (source["run"]["saved"], source["run"]["unchanged"]) == (saved, unchanged)
    # The database can be read where the plug-in is not installed.
    status = run_fork("status", "--database", "x.db", "--json").json
    assert [(source["id"], source["kind"]) for source in status["sources"]] == [("mine", "json")]
    assert "Akira Kurosawa" in run_fork("show", "Ran", "--database", "x.db").out
    ended = run_fork("sync", f"mine=nfo:{films.parent}", "--database", "x.db")
    assert (ended.code, "is stored as json, not nfo" in ended.err + ended.out) == (2, True)


def test_a_source_without_a_name_gets_one_of_its_kind_and_its_file(run_fork: Run, films: Path) -> None:
    ended = run_fork("sync", f"json:{films}", "--database", "x.db", env=INSTALLED)
    assert ended.code == 0
    assert ended.out.startswith("json-films-json (from json:")


def test_a_configuration_file_may_name_it(run_fork: Run, films: Path, home: Path) -> None:
    table = f"[sources.mine]\nkind = 'json'\nfolder = '{films}'\n"
    (home / "mediasync.toml").write_text(table)
    ended = run_fork("sync", "--database", "x.db", env=INSTALLED)
    assert (ended.code, ended.out.splitlines()[:2]) == (
        0,
        ["mine", "  2 items seen, 2 saved, 0 unchanged, 0 failed"],
    )
    assert "mine (json)" in run_fork("config", "check", env=INSTALLED).out
    (home / "mediasync.toml").write_text(f"{table}token = 'x'\n")
    assert "json has no token" in run_fork("config", "check", env=INSTALLED).out


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("lost", "the plug-in no_such_module:KIND of mediasync-broken, which provides"),
        ("alien", "the plug-in json:dumps of mediasync-broken is not a SourceKindSpec called 'alien'"),
        (
            "renamed",
            "the plug-in json_films:KIND of mediasync-broken is not a SourceKindSpec called 'renamed'",
        ),
        ("sulky", "the backend of the kind 'sulky' cannot be made: RuntimeError: out of order"),
    ],
)
def test_a_broken_plug_in_is_named_and_the_other_sources_are_synced(
    run_fork: Run, films: Path, home: Path, kind: str, reason: str
) -> None:
    broken = f"bad={kind}+http://host" if kind == "sulky" else f"bad={kind}:{films}"
    ended = run_fork("sync", broken, f"mine=json:{films}", "--database", "x.db", env=INSTALLED)
    assert ended.code == 2
    assert reason in ended.out
    assert "2 items seen, 2 saved" in ended.out
    table = f"[sources.mine]\nkind = 'json'\nfolder = '{films}'\n[sources.bad]\nkind = '{kind}'\n"
    (home / "mediasync.toml").write_text(table + "url = 'http://host'\n")
    ended = run_fork("sync", "--database", "y.db", env=INSTALLED)
    assert ended.code == 2
    assert reason in ended.out
    assert "2 items seen, 2 saved" in ended.out


def test_a_kind_that_does_not_exist_is_answered_with_those_that_do(run_fork: Run) -> None:
    ended = run_fork("sync", "vhs+http://host", env=INSTALLED)
    assert ended.code == 2
    assert "'vhs' is not a kind of server: write nfo:FOLDER, or " in ended.err
    assert "plug-ins add the kinds alien, json, lost, renamed, sulky" in ended.err
    assert "plug-ins" not in run_fork("sync", "vhs+http://host").err


async def test_a_program_uses_it_as_any_other_source(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGINS)
    kinds = SourceKinds(())
    assert "json" in kinds
    assert kinds["json"].how_to_write == "json:PATH"
    async with MediaSync("sqlite:///:memory:") as ms:
        report = await ms.sync(f"mine=json:{films}")
        assert (report.saved, report.run.source_id) == (2, "mine")
        report = await ms.sync(SourceConfig(id="mine", kind="json", folder=films))
        assert (report.saved, report.unchanged) == (0, 2)
        [source] = await ms.media.list_sources()
        assert (source.kind, type(source.kind)) == ("json", str)


async def test_two_plug_ins_of_one_kind_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(f"[mediasync.backends]\ntwin = {name}:KIND\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"several plug-ins, .*one:KIND of one, .*two:KIND of two"):
        SourceKinds(())["twin"]


def test_a_program_registers_a_kind_of_its_own(tmp_path: Path) -> None:
    made: list[tuple[str, str | None]] = []

    def make(config: SourceConfig, context: BackendContext) -> NfoBackend:
        made.append((context.client_id(), config.read_secret("token")))
        return NfoBackend(tmp_path, source=config.source)

    spec = SourceKindSpec("tape", make, default_port=1234, settings=frozenset({"token"}), login=("token",))
    SOURCE_KINDS.register(spec)
    SOURCE_KINDS.register(spec)  # the same once more
    source = parse_source("tape+http://Attic/deck")
    assert (source.id, source.url) == ("tape-attic-deck", "http://attic:1234/deck")
    with pytest.raises(
        ConfigurationError, match="has no token: MEDIASYNC_TAPE_ATTIC_DECK_TOKEN or token_file"
    ):
        source.check_login()
    with_token = SourceConfig.model_validate({**source.model_dump(exclude_unset=True), "token": "abc"})
    with_token.check_login()
    assert with_token.spec.make(with_token, BackendContext("me")).source.kind == "tape"
    assert made == [("me", "abc")]
    with pytest.raises(ConfigurationError, match="there is a kind of source 'plex' already"):
        SOURCE_KINDS.register(SourceKindSpec("plex", make))
    with pytest.raises(ConfigurationError, match="cannot name a kind of source"):
        SourceKindSpec("c", make)
