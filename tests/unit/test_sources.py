"""Sources as text, from the environment and from a file; and the identifier of an installation."""

from __future__ import annotations

import doctest
import multiprocessing
import os
import pwd
import traceback
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mediasync import MediaSync, SourceConfig
from mediasync.backends.nfo import NfoBackend
from mediasync.errors import ConfigurationError
from mediasync.settings import addresses, file_search, installation, suggestions
from mediasync.settings import file as configuration
from mediasync.settings import known_variables as variables
from mediasync.settings import source as sources
from mediasync.settings.environment import source_variable
from mediasync.settings.file import (
    Configuration,
    choose_source,
    read_configuration,
    with_environment,
)
from mediasync.settings.file_search import find_configuration
from mediasync.settings.installation import find_client_id
from mediasync.settings.source import FlawedSource, parse_source
from mediasync.settings.suggestions import suggestion
from mediasync.source_syncs import make_backend
from mediasync.vocabulary import SourceKind

SECRET = "s3cr3t"


@pytest.mark.parametrize("module", [sources, addresses, configuration, installation, suggestions, variables])
def test_the_examples_of_the_modules_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


# Text


@pytest.mark.parametrize(
    ("text", "kind", "source_id", "address"),
    [
        ("plex+https://plex.example:32400", "plex", "plex-plex-example-32400", "https://plex.example:32400"),
        ("plex+http://nas", "plex", "plex-nas", "http://nas:32400"),
        ("PLEX+HTTP://NAS:32400/", "plex", "plex-nas", "http://nas:32400"),
        ("jellyfin+http://nas", "jellyfin", "jellyfin-nas", "http://nas:8096"),
        ("jellyfin+https://media.example", "jellyfin", "jellyfin-media-example", "https://media.example"),
        ("jellyfin+https://media.example:443", "jellyfin", "jellyfin-media-example", "https://media.example"),
        ("jellyfin+https://h/jellyfin/", "jellyfin", "jellyfin-h-jellyfin", "https://h/jellyfin"),
        ("emby+http://nas:80", "emby", "emby-nas-80", "http://nas:80"),
        ("kodi+http://127.0.0.1", "kodi", "kodi-127-0-0-1", "http://127.0.0.1:8080"),
        ("kodi+http://[::1]:9", "kodi", "kodi-1-9", "http://[::1]:9"),
        ("emby+http://münchen.example", "emby", "emby-munchen-example", "http://münchen.example:8096"),
        ("home=plex+http://nas:1", "plex", "home", "http://nas:1"),
    ],
)
def test_a_server_as_text(text: str, kind: str, source_id: str, address: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.id, source.url, source.folder) == (kind, source_id, address, None)
    assert source.source.name == ""
    again = parse_source(f"x={kind}+{address}")
    assert again.url == address, "what is written out means itself"


def test_a_folder_as_text(tmp_path: Path) -> None:
    source = parse_source(f"nfo:{tmp_path}/My Films=2")
    assert (source.id, source.name, source.folder) == (
        "nfo-my-films-2",
        "My Films=2",
        tmp_path / "My Films=2",
    )
    named = parse_source(f"attic=nfo:{tmp_path}/My Films")
    assert (named.id, named.name) == ("attic", ""), "a name that is stored stays"
    assert isinstance(make_backend(source), NfoBackend)


LEAKS = [
    f"plex+https://me:{SECRET}@host",
    f"plex+https://{SECRET}@host",
    f"plex+https://me:{SECRET}/x@host",
    f"plex+https://me:1{SECRET}",
    f"plex+https://host/?X-Plex-Token={SECRET}",
    f"plex+https://host#token={SECRET}",
    f"plex+https://host/a|X-Plex-Token={SECRET}",
    f"home=jellyfin+http://host/?whatever={SECRET}",
    f"home=jellyfin+http://host?{SECRET}",
    f"http://me:{SECRET}@host",
    f"https://host/?api_key={SECRET}",
    f"plex://host?x={SECRET}",
    f"Home=plex+https://me:{SECRET}@host",
    f"plex+https://ho st/\t{SECRET}@",
]


@pytest.mark.parametrize("text", LEAKS)
def test_secrets_in_a_text_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_source(text)
    assert SECRET not in "".join(traceback.format_exception(caught.value, limit=0))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plex:films", "'plex:films' is not a source: write nfo:FOLDER"),
        ("", "'' is not a source"),
        ("nfo:", "is not a source"),
        ("films", "'films' is not a source"),
        ("https://host", "say which kind of server it is"),
        ("sonarr+http://host", "'sonarr' is not a kind of server"),
        ("nfo+http://host", "'nfo' is not a kind of server"),
        ("Home=nfo:x", "is not a source"),
        ("plex+https://", "does not name a server"),
        ("plex+https://:32400", "does not name a server"),
        ("plex+https://host:99999", "has no valid host and port"),
        ("plex+https://[::1", "has no valid host and port"),
        ("plex+https://ho st", "white space"),
        ("plex+https://ho\\st", "white space"),
        ("plex+https://me@host", "user name and a password do not belong in a URL"),
        ("home=plex+https://host?a", "source 'home': .*must not contain .* or a token"),
        ("kodi+http://映画", "no name can be made of the host '映画'"),
        ("nfo:/映画", "no name can be made of the folder '映画': give it a name, NAME=nfo"),
        ("nfo:~nobody-of-this-name/films", "is not the path of a folder"),
    ],
)
def test_a_text_that_names_no_source_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_source(text)


@given(
    st.text(max_size=60),
    st.sampled_from(["", "nfo:", "plex+https://", "a=kodi+http://", "jellyfin+http://h/"]),
)
def test_any_text_is_a_source_or_a_configuration_error(text: str, beginning: str) -> None:
    try:
        source = parse_source(beginning + text)
    except ConfigurationError:
        return
    assert source.source.id == source.id
    if source.url is not None:
        assert parse_source(f"{source.id}={source.kind}+{source.url}").url == source.url


# Models


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "plex"}, "url is missing"),
        ({"kind": "nfo"}, "folder is missing"),
        ({"kind": "plex", "folder": "x"}, "plex has a url, not a folder"),
        ({"folder": "x", "token": SECRET}, "nfo has no token"),
        ({"url": "plex+http://h", "password": SECRET}, "plex has no password"),
        ({"url": "kodi+http://h", "token_file": "f"}, "kodi has no token_file"),
        ({"url": "vhs+http://h"}, "'vhs' is not a kind of source; there are: nfo, plex, "),
        ({"url": "http://h", "kind": "jelyfin"}, "did you mean jellyfin"),
        ({"url": "plex+http://h", "kind": "kodi"}, "url starts with plex\\+, but kind is 'kodi'"),
        ({"url": "plex+http://h", "timezone": "UTC"}, "plex has no timezone"),
        ({"url": "kodi+http://h", "timezone": "Mars/Olympus"}, "is not a time zone"),
        ({"url": "kodi+http://h", "timezone": "../etc"}, "is not a time zone"),
        ({"url": "plex+http://h", "events_port": 9090}, "plex has no events_port"),
        ({"url": "kodi+http://h", "events_port": 65536}, "less than or equal to 65535"),
        ({"url": "kodi+http://h", "events_port": 0}, "greater than or equal to 1"),
        ({"url": "plex+http://h", "token": SECRET, "token_file": "f"}, "both given"),
        ({"url": "plex+http://h", "token": ""}, "token is empty"),
        ({"url": "plex+http://h", "token": f"{SECRET}\n"}, "token is not a token"),
        ({"url": "plex+http://h", "headers": {"a b": SECRET}}, "of (a|the) header"),
        ({"url": "plex+http://h", "headers": {"a": f"{SECRET}\r\nb"}}, "of (a|the) header"),
        ({"url": "plex+http://h", "headers": {"a": f"{SECRET}é"}}, "of (a|the) header"),
        ({"url": "plex+http://h", "id": "No Id"}, "cannot name a source"),
        ({"url": "plex+http://h", "tokn": SECRET}, "Extra inputs"),
        ({"url": f"plex+http://me:{SECRET}@h"}, "do not belong in a URL"),
        ({"url": "plex+http://h", "wait_for_scan": -1}, "greater than or equal to 0"),
        ({"url": "plex+http://h", "verify": "~nobody-of-this-name/ca"}, "is not the path of a file"),
        ("text", "valid dictionary"),
    ],
)
def test_what_cannot_be_configured(fields: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        SourceConfig.model_validate(fields)
    assert SECRET not in str(caught.value)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    source = SourceConfig(url="emby+http://h", token=SECRET, password=SECRET, headers={"X-Key": SECRET})  # type: ignore[call-arg]
    for text in (str(source), repr(source), source.model_dump_json(), repr(source.http)):
        assert SECRET not in text
    assert source.read_secret("token") == SECRET
    assert source.http.headers["X-Key"].get_secret_value() == SECRET


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    source = SourceConfig.model_validate({"id": "home", "url": "plex+http://h", "token_file": file})
    with pytest.raises(ConfigurationError, match=r"token of source 'home'.*cannot be read"):
        source.read_secret("token")
    for content, message in (("", "is empty"), (f"{SECRET} and more", "is not a token")):
        file.write_text(content)
        with pytest.raises(ConfigurationError, match=f"token of source 'home'.*{message}") as caught:
            source.read_secret("token")
        assert SECRET not in str(caught.value)
    file.write_text(f"\n{SECRET}\n")
    assert source.read_secret("token") == SECRET
    assert source.read_secret("password") is None


# The environment


def test_the_environment_beats_what_a_source_says(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text(f"X-One: {SECRET}\n\nX-Two: a: b\n")
    source = SourceConfig.model_validate(
        {
            "id": "my-kodi",
            "name": "Mine",
            "url": "kodi+https://h/x",
            "password_file": "p",
            "tries": 2,
        }
    )
    environ = {
        "MEDIASYNC_MY_KODI_PASSWORD": SECRET,
        "MEDIASYNC_MY_KODI_USERNAME": "me",
        "MEDIASYNC_MY_KODI_VERIFY": "False",
        "MEDIASYNC_MY_KODI_HEADERS_FILE": str(file),
        "MEDIASYNC_MY_KODI_TIMEZONE": "Europe/Berlin",
        "MEDIASYNC_MY_KODI_INCLUDE": "Movies, TV shows\n1",
        "MEDIASYNC_MY_KODI_EXCLUDE": "",
        "MEDIASYNC_MY_KODI_CONCURRENCY": "3",
        "MEDIASYNC_MY_KODI_WAIT_FOR_SCAN": "1.5",
        "MEDIASYNC_OTHER_TOKEN": "other",
    }
    found = with_environment(source, environ)
    assert found.read_secret("password") == SECRET
    assert (found.id, found.name, found.url, found.tries) == ("my-kodi", "Mine", "https://h/x", 2)
    assert (found.username, found.verify, found.timezone) == ("me", False, "Europe/Berlin")
    assert {name: value.get_secret_value() for name, value in found.headers.items()} == {
        "X-One": SECRET,
        "X-Two": "a: b",
    }
    assert (found.include, found.exclude) == (("Movies", "TV shows", "1"), ())
    assert (found.concurrency, found.wait_for_scan) == (3, 1.5)
    assert with_environment(source, {}) is source
    assert source_variable("my-kodi", "token") == "MEDIASYNC_MY_KODI_TOKEN"


def test_a_ca_file_from_the_environment() -> None:
    source = parse_source("home=plex+https://h")
    assert with_environment(source, {"MEDIASYNC_HOME_VERIFY": "/etc/ca.pem"}).verify == Path("/etc/ca.pem")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"MEDIASYNC_HOME_TRIES": "many"}, "MEDIASYNC_HOME_TRIES: Input should be a valid integer"),
        ({"MEDIASYNC_HOME_TOKEN": f"{SECRET} {SECRET}"}, "token is not a token"),
        ({"MEDIASYNC_HOME_TOKEN": "a", "MEDIASYNC_HOME_TOKEN_FILE": "b"}, "set only one"),
        ({"MEDIASYNC_HOME_HEADERS": SECRET}, "MEDIASYNC_HOME_HEADERS: write a line 'Name: value'"),
        ({"MEDIASYNC_HOME_TIMEZONE": "UTC"}, "MEDIASYNC_HOME_TIMEZONE: plex has no timezone"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        with_environment(parse_source("home=plex+https://h"), environ)
    assert SECRET not in str(caught.value)


async def test_the_library_asks_the_environment_for_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIASYNC_HOME_TRIES", "many")
    with pytest.raises(ConfigurationError, match="MEDIASYNC_HOME_TRIES"):
        MediaSync("sqlite:///:memory:").sync("home=plex+https://h")
    with pytest.raises(ConfigurationError, match="MEDIASYNC_HOME_TRIES"):
        make_backend("home=plex+https://h")


# The file


def write_config(folder: Path, text: str) -> Path:
    file = folder / "mediasync.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file(tmp_path: Path) -> None:
    found = read_configuration(
        write_config(
            tmp_path,
            """
            [database]
            url = "films.db"

            [sources.home]
            kind = "plex"
            url = "https://plex.example:32400"
            token_file = "token"
            verify = "ca.pem"
            headers = { X-Key = "k" }
            include = ["Films"]

            [sources.films]
            folder = "nfo"
            name = "My films"
            """,
        )
    )
    assert found.database == f"sqlite:///{tmp_path}/films.db"
    home, films = found.sources.values()
    assert list(found.sources) == ["home", "films"]
    assert (home.kind, home.url, home.token_file) == (
        SourceKind.PLEX,
        "https://plex.example:32400",
        tmp_path / "token",
    )
    assert (home.verify, home.include) == (tmp_path / "ca.pem", ("Films",))
    assert (films.kind, films.folder, films.source.name) == (SourceKind.NFO, tmp_path / "nfo", "My films")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///x.db", "sqlite:///{folder}/x.db"),
        ("sqlite:////srv/x.db", "sqlite:////srv/x.db"),
        ("/srv/x.db", "sqlite:////srv/x.db"),
        (":memory:", "sqlite:///:memory:"),
        ("postgresql://me@host/x", "postgresql://me@host/x"),
    ],
)
def test_the_database_of_a_file(tmp_path: Path, url: str, expected: str) -> None:
    file = write_config(tmp_path, f"[database]\nurl = '{url}'")
    assert read_configuration(file).database == expected.format(folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[datbase]\nurl = 'x'", "datbase is not a setting; did you mean database"),
        ("[database]\nulr = 'x'", r"\[database\] ulr is not a setting; did you mean url"),
        ("[database]\nurl = 5", r"\[database\] url: is not the URL or path"),
        ("[database]\nurl = 'sqlite:x'", r"\[database\] url: .*slashes"),
        ("database = 'x'", r"database is not a table"),
        ("sources = 'x'", r"sources is not a table"),
        ("[sources]\nhome = 'plex+https://h'", r"sources.home is not a table"),
        ("[sources.Home]\nurl = 'plex+https://h'", r"\[sources.Home\]: cannot name a source"),
        ("[sources.home]\nid = 'x'\nurl = 'plex+https://h'", "the id is the name of the table"),
        (
            f"[sources.home]\nurl = 'plex+https://h'\ntokn = '{SECRET}'",
            r"\[sources.home\] tokn: is not a setting; did you mean token",
        ),
        (
            "[sources.home]\nurl = 'plex+https://h'\nx9 = 1",
            r"\[sources.home\] x9: is not a setting; there are: ",
        ),
        (
            f"[sources.home]\nurl = 'plex+https://me:{SECRET}@h'",
            r"\[sources.home\] a user name and a password",
        ),
        (f"[sources.home]\nurl = 'plex+https://h'\ntoken = ['{SECRET}']", r"\[sources.home\] token: "),
        ("[sources.home]\nurl = 'https://h'", r"\[sources.home\] kind: is missing"),
        ("[sources.home]\nurl = 'ftp+https://h'", r"\[sources.home\] kind: 'ftp' is not a kind of source"),
        ("[sources.a-b]\nfolder = 'x'\n[sources.a_b]\nfolder = 'y'", r"\[sources.a-b\] and \[sources.a_b\]"),
        ("[sources.home", "is not TOML: Expected"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    def use(file: Path) -> None:
        for source in read_configuration(file).sources.values():
            assert isinstance(source, FlawedSource)
            raise source.error

    file = write_config(tmp_path, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        use(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert SECRET not in "".join(traceback.format_exception(caught.value, limit=0))


def test_all_flaws_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    file = write_config(tmp_path, "x = 1\n[database]\nurl = 5\nulr = 'x'")
    with pytest.raises(ConfigurationError, match=r"x is not a setting.*\[database\] ulr.*\[database\] url"):
        read_configuration(file)


def test_a_source_that_cannot_be_used_keeps_its_place_among_the_others(tmp_path: Path) -> None:
    file = write_config(
        tmp_path,
        "[sources.a]\nfolder = 'x'\nurl = 'y'\nadress = 'z'\n[sources.b]\nfolder = 'z'\n"
        "[sources.c-d]\nfolder = 'x'\n[sources.c_d]\nfolder = 'y'",
    )
    found = read_configuration(file).sources
    assert [(name, isinstance(source, FlawedSource)) for name, source in found.items()] == [
        ("a", True),
        ("b", False),
        ("c-d", True),
        ("c_d", True),
    ]
    flawed = found["a"]
    assert isinstance(flawed, FlawedSource)
    assert (flawed.id, flawed.error.source_id) == ("a", "a")
    assert str(flawed.error) == f"{file}: [sources.a] adress: is not a setting; did you mean url?"
    whole = Configuration(path=file, sources=found)
    assert choose_source("a", whole, {}) == choose_source("a=nfo:elsewhere", whole, {}) == flawed


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("adress", "url"),
        ("address", "url"),
        ("hostname", "url"),
        ("Path", "folder"),
        ("directry", "folder"),
        ("api-key", "token"),
        ("tokenfile", "token_file"),
        ("user", "username"),
        ("passwd", "password"),
        ("tz", "timezone"),
        ("timeout", "read_timeout"),
        ("libraries", "include"),
        ("verify_ssl", "verify"),
        ("hedaers", "headers"),
        ("retries", "tries"),
        ("colour", None),
        ("x", None),
    ],
)
def test_what_is_meant_by_another_word(name: str, meant: str | None) -> None:
    assert suggestion(name, SourceConfig.model_fields) == meant


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff")
    for path, message in ((tmp_path / "gone", "cannot be read"), (tmp_path / "latin", "UTF-8")):
        with pytest.raises(ConfigurationError, match=message):
            read_configuration(path)


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, home = tmp_path / "here", tmp_path / "config" / "mediasync"
    here.mkdir()
    home.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr(file_search, "user_folder", lambda: home)
    assert find_configuration(None, {}) is None
    assert read_configuration(None).sources == {}
    of_user = write_config(home, "")
    assert find_configuration(None, {}) == of_user
    write_config(here, "")
    assert find_configuration(None, {}) == Path("mediasync.toml")
    assert find_configuration(None, {"MEDIASYNC_CONFIG": str(of_user)}) == of_user
    (tmp_path / "name").write_text(str(of_user))
    assert find_configuration(None, {"MEDIASYNC_CONFIG_FILE": str(tmp_path / "name")}) == of_user
    assert find_configuration(here / "mediasync.toml", {"MEDIASYNC_CONFIG": "x"}) == here / "mediasync.toml"
    with pytest.raises(ConfigurationError, match="there is no configuration file 'x'"):
        find_configuration(None, {"MEDIASYNC_CONFIG": "x"})
    with pytest.raises(ConfigurationError, match="is not the path of a configuration file"):
        find_configuration("~nobody-of-this-name/x", {})


def test_the_folder_of_the_user() -> None:
    folder = file_search.user_folder()
    assert folder is not None
    assert folder.name == "mediasync"


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is not in the list of users, as in many a container, in an empty folder."""

    def find_no_user(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", find_no_user)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home(tmp_path: Path) -> None:
    assert file_search.user_folder() is None
    assert find_configuration(None, {}) is None
    write_config(tmp_path, "")
    assert find_configuration(None, {}) == Path("mediasync.toml")
    derived = find_client_id({})
    assert uuid.UUID(derived)
    assert find_client_id({}) == derived
    assert [path.name for path in tmp_path.iterdir()] == ["mediasync.toml"]


def test_the_folder_of_the_user_is_not_asked_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(file_search, "user_folder", lambda: asked.append(1))
    monkeypatch.chdir(tmp_path)
    assert find_configuration(None, {}) is None
    assert asked == [1]
    write_config(tmp_path, "")
    assert find_configuration(None, {}) == Path("mediasync.toml")
    assert asked == [1]


def test_a_word_of_the_command_line(tmp_path: Path) -> None:
    found = read_configuration(
        write_config(tmp_path, "[sources.home]\nurl = 'plex+https://h'\ntoken = 'abc'\ninclude = ['Films']")
    )
    environ = {"MEDIASYNC_HOME_TRIES": "7"}
    home = choose_source("home", found, environ)
    assert (home.url, home.tries, home.read_secret("token")) == ("https://h", 7, "abc")
    moved = choose_source("home=plex+http://nas", found, environ)
    assert (moved.url, moved.tries, moved.include, moved.read_secret("token")) == (
        "http://nas:32400",
        7,
        ("Films",),
        "abc",
    )
    assert choose_source("other=plex+http://nas", found, environ).include == ()
    with pytest.raises(ConfigurationError, match="has no source 'away'; there are: home"):
        choose_source("away", found, environ)
    with pytest.raises(ConfigurationError, match="'home' is plex in the configuration file, not kodi"):
        choose_source("home=kodi+http://nas", found, environ)
    with pytest.raises(ConfigurationError, match="'home' is not a source: write"):
        choose_source("home", read_configuration(None), environ)


# The identifier of an installation


def test_the_identifier_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    made = find_client_id({}, folder)
    assert str(uuid.UUID(made)) == made
    assert find_client_id({}, folder) == made
    assert [path.name for path in folder.iterdir()] == ["client-id"]
    assert find_client_id({"MEDIASYNC_CLIENT_ID": "mine"}, folder) == "mine"
    assert find_client_id({}, tmp_path / "other") != made


def test_the_identifier_from_the_environment_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="client identifier is not valid"):
        find_client_id({"MEDIASYNC_CLIENT_ID": "a\nb"}, tmp_path)
    with pytest.raises(ConfigurationError, match="client identifier is not valid"):
        MediaSync("sqlite:///:memory:", client_id="a b")


def test_a_kodi_needs_no_client_id_and_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIASYNC_CLIENT_ID", "a\nb")
    make_backend("den=kodi+http://127.0.0.1")
    with pytest.raises(ConfigurationError, match="client identifier is not valid"):
        make_backend("den=plex+http://127.0.0.1")


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"two words"])
def test_a_broken_identifier_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "client-id").write_bytes(content)
    made = find_client_id({}, tmp_path)
    assert uuid.UUID(made)
    assert find_client_id({}, tmp_path) == made
    assert len(list(tmp_path.iterdir())) == 1


def test_an_installation_that_can_keep_nothing_has_a_stable_identifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in the way").write_text("")
    derived = find_client_id({}, tmp_path / "in the way" / "folder")
    assert uuid.UUID(derived)
    assert find_client_id({}, tmp_path / "in the way") == derived
    monkeypatch.setattr(installation, "_read", lambda _: None)
    assert find_client_id({}, tmp_path) == derived, "a file that does not keep what is written to it"


def test_where_links_are_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    made = find_client_id({}, tmp_path)
    assert find_client_id({}, tmp_path) == made


def _make_one(folder: str) -> str:
    return find_client_id({}, Path(folder))


def test_processes_that_come_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_make_one, [str(tmp_path)] * 16))) == 1


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"MEDIASYNC_HOME_TRIES": "many"}, "MEDIASYNC_HOME_TRIES: Input should be a valid integer"),
        (
            {"MEDIASYNC_HOME_TOKEN_FILE": "/not/there"},
            "_FILE: '/not/there' cannot be read",
        ),
        ({"MEDIASYNC_HOME_HEADERS": "x"}, "write a line"),
    ],
)
def test_what_is_wrong_in_the_environment_is_wrong_with_its_source(
    environ: dict[str, str], message: str
) -> None:
    found = choose_source("home=plex+http://nas", Configuration(), environ)
    assert isinstance(found, FlawedSource)
    assert found.id == "home"
    assert message in str(found.error)
    found = choose_source(f"plex+http://me:{SECRET}@nas", Configuration(), environ)
    assert isinstance(found, FlawedSource)
    assert SECRET not in f"{found}"


def test_a_login_that_is_always_asked_for_is_missed(tmp_path: Path) -> None:
    for url, message in (
        ("plex+http://h", "source 'plex-h' has neither a token nor a key_file: MEDIASYNC_PLEX_H_TOKEN or"),
        ("jellyfin+http://h", "source 'jellyfin-h' has neither a token nor a username"),
        ("emby+http://h", "source 'emby-h' has neither a token nor a username"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            parse_source(url).check_login()
        SourceConfig.model_validate({"url": url, "token": "abc"}).check_login()
        with pytest.raises(ConfigurationError, match="cannot be read"):
            SourceConfig.model_validate({"url": url, "token_file": tmp_path / "gone"}).check_login()
    SourceConfig.model_validate({"url": "jellyfin+http://h", "username": "me"}).check_login()
    parse_source("kodi+http://h").check_login()
    parse_source("nfo:films").check_login()


def test_a_variable_that_is_of_no_use_to_a_source_is_named() -> None:
    environ = {"MEDIASYNC_FILMS_TOKEN": SECRET}
    with pytest.raises(ConfigurationError) as raised:
        with_environment(parse_source("films=nfo:x"), environ)
    assert str(raised.value) == "MEDIASYNC_FILMS_TOKEN: nfo has no token"


# Who can read the file


@pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[sources.home]\nurl = 'plex+https://h'\ntoken = 's3cr3t'", "token of [sources.home]"),
        ("[sources.den]\nurl = 'kodi+http://h'\npassword = 's3cr3t'", "password of [sources.den]"),
        ("[sources.a]\nurl = 'plex+http://h'\nheaders = {X = 's3cr3t'}\n", "headers of [sources.a]"),
        ("[database]\nurl = 'postgresql://me:s3cr3t@h/media'", "the password of [database]"),
        ("[sources.home]\nurl = 'plex+https://h'\ntoken = 's3cr3t'\nwrong = 1", "token of [sources.home]"),
    ],
)
def test_a_file_with_secrets_that_others_can_read_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, what: str
) -> None:
    file = write_config(tmp_path, text)
    for mode, warned in ((0o644, True), (0o604, True), (0o600, False), (0o640, False)):
        file.chmod(mode)
        caplog.clear()
        warnings = read_configuration(file).warnings
        assert [record.getMessage() for record in caplog.records] == list(warnings)
        assert bool(warnings) is warned, oct(mode)
        if warned:
            assert warnings == (f"{file}: every user of this machine can read {what}: chmod 600 {file}",)


@pytest.mark.parametrize(
    "text",
    [
        "[sources.home]\nurl = 'plex+https://h'\ntoken_file = 'token'",
        "[database]\nurl = 'postgresql://me@h/media'",
        "",
    ],
)
def test_a_file_without_secrets_may_be_read_by_all(tmp_path: Path, text: str) -> None:
    file = write_config(tmp_path, text)
    file.chmod(0o644)
    assert read_configuration(file).warnings == ()


# Variables that nothing reads


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MEDIASYNC_DATABSE", "is not a variable that mediasync reads; did you mean MEDIASYNC_DATABASE?"),
        ("MEDIASYNC_DATABSE_FILE", "mediasync reads; did you mean MEDIASYNC_DATABASE_FILE?"),
        (
            "MEDIASYNC_HOME_TOEKN",
            "is not a variable that mediasync reads; did you mean MEDIASYNC_HOME_TOKEN?",
        ),
        ("MEDIASYNC_DEN_API_KEY_FILE", "did you mean MEDIASYNC_DEN_TOKEN_FILE?"),
        ("MEDIASYNC_TOKEN", "does not say which source it is for; did you mean MEDIASYNC_PLEX_HOME_TOKEN?"),
        ("MEDIASYNC_PLEX_TOKEN", "there are: plex-home, den; did you mean MEDIASYNC_PLEX_HOME_TOKEN?"),
        ("MEDIASYNC_ZZZ_TOKEN", "is not read, because there is no such source; there are: plex-home, den"),
        ("MEDIASYNC_PLEX_HOME_COLOUR", "is not a variable that mediasync reads"),
        ("MEDIASYNC_PLEX_HOME_TOKEN", None),
        ("MEDIASYNC_DEN_WAIT_FOR_SCAN_FILE", None),
        ("MEDIASYNC_DATABASE_FILE", None),
        ("MEDIASYNC_CONFIG", None),
        ("MEDIASYNC_CLIENT_ID", None),
        ("MEDIASYNC_DEBUG", None),
        ("MEDIASYNC_SERVICE_HOST", None),
        ("MEDIASYNC_PORT_8080_TCP_ADDR", None),
        ("OTHER_TOKEN", None),
    ],
)
def test_variables_that_nothing_reads(name: str, told: str | None) -> None:
    found = variables.unread_variables({name: "x"}, ["plex-home", "den"])
    assert found == ([] if told is None else [found[0]])
    if told is not None:
        assert found[0].startswith(f"{name} ")
        assert found[0].endswith(told)
    assert variables.unread_variables({name: ""}, ["plex-home"]) == []


def test_a_variable_of_a_source_that_is_not_known_here_is_left_alone() -> None:
    environ = {"MEDIASYNC_OTHER_TOKEN": "x", "MEDIASYNC_OTHER_TOEKN": "x"}
    assert [text.split()[0] for text in variables.unread_variables(environ, None)] == [
        "MEDIASYNC_OTHER_TOEKN"
    ]
