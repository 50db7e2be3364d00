"""``mediasync.toml`` on the command line, and ``mediasync config check``."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest
from cli_runs import Run, write

SECRET = "s3cr3t"


@pytest.fixture
def file(home: Path, library: Path) -> Path:
    """A configuration file in the working folder, with its database and two sources."""
    return write(
        home / "mediasync.toml",
        f"""
        [database]
        url = "of-file.db"

        [sources.films]
        folder = "{library}"

        [sources.empty]
        folder = "empty"
        """,
    )


def test_a_sync_without_arguments_is_of_all_in_the_file(
    run: Run, home: Path, file: Path, library: Path
) -> None:
    (home / "empty" / "movies").mkdir(parents=True)
    ended = run("sync")
    assert ended.code == 0
    assert ended.out == (
        "films\n  6 items seen, 6 saved, 0 unchanged, 0 failed\n"
        "  movies: 2 added; 7 credits added\n  tvshows: 4 added; 6 credits added\n"
        "  6 added; 13 credits added: mediasync log --run 1\n"
        f"empty\n  no items were found\n  nothing changed\nDatabase: {home}/of-file.db\n"
    )
    assert f"mediasync: films: reading nfo:{library}\n" in ended.err
    [source] = run("sync", "films", "--json").json["sources"]
    assert (source["source"], source["derived"], source["run"]["unchanged"]) == ("films", False, 6)
    assert run("status").out.startswith(f"Database  {home}/of-file.db (")


def test_where_the_file_is(run: Run, home: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = write(home / "x" / "my.toml", f"[sources.named]\nfolder = '{library}'\n[database]\nurl = 'n.db'")
    for arguments in (["--config", named, "sync"], ["sync", "--config", named]):
        assert run(*arguments).code == 0
    assert (home / "x" / "n.db").exists()
    assert "named (nfo)" in run("status", "--config", named).out
    for command in (["runs"], ["show", "heat"], ["person", "al"], ["check"], ["copy", "--to", "copy.db"]):
        assert run(*command, "--config", named).code == 0
    monkeypatch.setenv("MEDIASYNC_CONFIG", str(named))
    assert "named (nfo)" in run("status").out
    monkeypatch.setenv("MEDIASYNC_DATABASE", "env.db")
    assert run("status").code == 4, "the environment beats the file"
    assert run("status", "--database", home / "x" / "n.db").code == 0
    ended = run("status", "--config", "gone.toml", "--database", home / "x" / "n.db")
    assert ended.code == 0, "a file that nothing is wanted of is not read"
    ended = run("sync", "nfo:x", "--config", "gone.toml", "--json")
    assert (ended.code, ended.json["error"]["message"]) == (2, "there is no configuration file 'gone.toml'")
    assert run("--config", named).code == 2


def test_a_file_that_names_no_source(run: Run, home: Path) -> None:
    write(home / "mediasync.toml", "")
    ended = run("sync")
    assert ended.code == 2
    assert ended.err.startswith("mediasync: no source is named, and mediasync.toml has none")
    assert run("sync", "away").err == "mediasync: mediasync.toml has no source 'away'; there are: none\n"
    assert "No source is configured." in run("config", "check").out


def test_a_flaw_in_the_file_is_reported_in_one_line(run: Run, home: Path) -> None:
    write(home / "mediasync.toml", f"[sources.home]\nurl = 'plex+https://h'\ntokn = '{SECRET}'\n")
    flaw = "mediasync.toml: [sources.home] tokn: is not a setting; did you mean token?"
    for command in (["sync"], ["sync", "home"], ["sync", "home=plex+http://nas"]):
        ended = run(*command, "--json")
        assert (ended.code, ended.err) == (2, f"mediasync: {flaw}\n")
        assert ended.json["error"] == {"kind": "ConfigurationError", "message": flaw}
    ended = run("config", "check")
    assert (ended.code, ended.out.endswith(f"\nhome\n  error  {flaw}\n")) == (2, True)
    [source] = run("config", "check", "--json").json["sources"]
    assert source == {"id": "home", "kind": None, "secrets": {}, "error": flaw}
    assert "does not exist" in run("status").err, "a source is not needed to look at the database"
    assert [path.name for path in home.iterdir()] == ["mediasync.toml"]
    write(home / "mediasync.toml", "[sorces.home]\nurl = 'plex+https://h'\n")
    for command in (["sync"], ["config", "check"], ["status"]):
        told = "mediasync: mediasync.toml: sorces is not a setting; did you mean sources?\n"
        assert run(*command).err == told


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("url = 'plex+http://127.0.0.1:1'\ntoken_file = 'gone'", "token of source 'home': "),
        ("url = 'plex+http://127.0.0.1:1'\nadress = 'x'", "adress: is not a setting; did you mean url?"),
        ("url = 'plex+http://127.0.0.1:1'\ntries = 0", "[sources.home] tries: "),
    ],
)
def test_a_misconfigured_source_fails_alone(
    run: Run, home: Path, file: Path, table: str, message: str
) -> None:
    write(file, f"{file.read_text()}\n[sources.home]\n{table}\n")
    (home / "empty" / "movies").mkdir(parents=True)
    ended = run("sync")
    assert ended.code == 2
    assert "films\n  6 items seen, 6 saved, 0 unchanged, 0 failed\n" in ended.out
    assert "empty\n  no items were found\n" in ended.out
    [line] = [line for line in ended.out.splitlines() if "not synced" in line]
    assert message in line
    document = run("sync", "home", "films", "--json").json
    assert [(source["source_id"], source["status"]) for source in document["sources"]] == [
        ("home", "failed"),
        ("films", "succeeded"),
    ]
    assert document["sources"][0]["error"]["kind"] == "ConfigurationError"
    alone = run("sync", "home")
    assert (alone.code, message in alone.err) == (2, True)
    assert run("runs", "--json").json["runs"][0]["source_id"] != "home", "it is not stored"


def test_a_source_whose_token_file_is_gone_makes_no_database(run: Run, home: Path) -> None:
    write(home / "mediasync.toml", "[sources.home]\nurl = 'plex+http://127.0.0.1:1'\ntoken_file = 'gone'\n")
    ended = run("sync", "--json")
    assert (ended.code, ended.json["error"]["kind"]) == (2, "ConfigurationError")
    assert [path.name for path in home.iterdir()] == ["mediasync.toml"]


def test_config_check_fails_for_a_source_without_its_token(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[sources.home]\nurl = 'plex+https://h'\n[sources.den]\nurl='kodi+http://d'"
    write(home / "mediasync.toml", text)
    ended = run("config", "check")
    assert ended.code == 2
    missing = "source 'home' has neither a token nor a key_file"
    assert f"  error  {missing}: MEDIASYNC_HOME_TOKEN or token_file gives a token\n" in ended.out
    monkeypatch.setenv("MEDIASYNC_HOME_TOKEN", SECRET)
    assert run("config", "check").code == 0
    monkeypatch.setenv("MEDIASYNC_HOME_TOEKN", SECRET)
    ended = run("config", "check", "--json")
    assert (ended.code, SECRET in ended.out + ended.err) == (0, False)
    [warning] = ended.json["warnings"]
    assert warning.endswith("did you mean MEDIASYNC_HOME_TOKEN?")
    assert ended.err == f"mediasync: {warning}\n"


def test_variables_that_nothing_reads_are_warned_about(
    run: Run, synced: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIASYNC_DATABSE", "x.db")
    warning = "mediasync: MEDIASYNC_DATABSE is not a variable that mediasync reads; did you mean "
    for command in (["status"], ["runs"], ["show", "heat"], ["sync", f"films=nfo:{library}"], ["check"]):
        assert run(*command).err.count(warning) == 1
    monkeypatch.setenv("MEDIASYNC_FILM_EXCLUDE", "tvshows")
    assert "MEDIASYNC_FILM_EXCLUDE" not in run("status").err
    told = "FILM_EXCLUDE is not read, because there is no such source; there are: films; did you mean"
    assert told in run("sync", f"films=nfo:{library}").err


CHECKED = """
[sources.home]
url = "plex+https://plex.example:32400"
token_file = "token"
headers = { X-Key = "s3cr3t" }
include = ["Films", "Séries"]

[sources.den]
kind = "kodi"
url = "http://den"
username = "me"
timezone = "Europe/Berlin"
verify = "ca.pem"

[sources.fin]
url = "jellyfin+https://fin"
token = "s3cr3t"
verify = false

[sources.films]
folder = "films"
name = "My films"
"""


def test_what_is_understood_is_shown_with_secrets_hidden(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "mediasync.toml", CHECKED).chmod(0o600)
    write(home / "token", SECRET)
    monkeypatch.setenv("MEDIASYNC_DEN_PASSWORD", SECRET)
    before = sorted(path.name for path in home.rglob("*"))
    ended = run("config", "check")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"Configuration  {home}/mediasync.toml\n"
        f"Database       {home}/data/mediasync/mediasync.db\n"
        "File mode      0600 if the file is made\n"
        "\nhome (plex)\n"
        "  url      https://plex.example:32400\n"
        f"  token    from {home}/token\n"
        "  headers  X-Key\n"
        "  include  Films, Séries\n"
        "\nden (kodi)\n"
        "  url       http://den:8080\n"
        "  username  me\n"
        "  password  from MEDIASYNC_DEN_PASSWORD\n"
        f"  verify    {home}/ca.pem\n"
        "  timezone  Europe/Berlin\n"
        "\nfin (jellyfin)\n"
        "  url       https://fin\n"
        "  token     from configuration file\n"
        "  password  none: MEDIASYNC_FIN_PASSWORD or MEDIASYNC_FIN_PASSWORD_FILE may give it\n"
        "  verify    no: certificates are not checked\n"
        "\nfilms (nfo)\n"
        "  name    My films\n"
        f"  folder  {home}/films\n"
    )
    ended = run("config", "check", "--json", "--database", "postgresql://me:s3cr3t@host/media")
    assert SECRET not in ended.out + ended.err
    document = ended.json
    assert document["path"] == f"{home}/mediasync.toml"
    assert document["database"] == {"url": "postgresql://host/media", "path": None, "file_mode": None}
    assert [source["id"] for source in document["sources"]] == ["home", "den", "fin", "films"]
    assert document["sources"][0]["secrets"] == {"token": f"{home}/token"}
    assert document["sources"][1]["secrets"] == {"password": "MEDIASYNC_DEN_PASSWORD"}
    assert document["sources"][2]["secrets"] == {"token": "configuration file", "password": None}
    assert document["sources"][3]["error"] is None
    assert sorted(path.name for path in home.rglob("*")) == before, "nothing is written"


def test_each_source_that_cannot_be_used_is_reported(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "mediasync.toml", CHECKED)
    monkeypatch.setenv("MEDIASYNC_FIN_TRIES", "many")
    ended = run("config", "check")
    assert ended.code == 2
    assert "  error    token of source 'home': " in ended.out
    assert "  error     MEDIASYNC_FIN_TRIES: Input should be a valid integer" in ended.out
    assert [bool(source["error"]) for source in run("config", "check", "--json").json["sources"]] == [
        True, False, True, False,
    ]  # fmt: skip


def test_without_a_file(run: Run, home: Path) -> None:
    ended = run("config", "check")
    assert ended.code == 0
    assert ended.out.startswith("Configuration  none: there is no mediasync.toml here, nor in ")
    assert run("config", "check", "--json").json["path"] is None


def test_a_user_without_a_home(run: Run, home: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_no_user(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", find_no_user)
    for command in (["status"], ["sync", f"nfo:{library}"]):
        ended = run(*command)
        assert ended.code == 2
        assert "this user has no home folder: name one with --database" in ended.err
    assert run("sync", f"nfo:{library}", "--database", "here.db").code == 0
    assert "here.db" in run("status", "--database", "here.db").out
    ended = run("config", "check", "--database", "here.db")
    assert ended.code == 0
    assert ended.out.startswith("Configuration  none: there is no mediasync.toml here\n")
    assert [path.name for path in home.iterdir() if not path.name.startswith("here.db")] == []


def test_help(run: Run) -> None:
    assert "mediasync config check" in run("config", "check", "--help").out
    assert "check" in run("config", "--help").out
    assert run("config").code in {0, 2}
    assert run("config", "chekc").code == 2
