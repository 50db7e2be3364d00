"""``mediasync init``: in a terminal as a person uses it, and by options as a script does."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
from cli_runs import Beside, Ended, Run, process_environment

from mediasync.cli import init as command
from mediasync.discovery import DiscoveredServer
from mediasync.settings.file import read_configuration
from mediasync.settings.source import SourceConfig
from mediasync.testing import (
    FakeEmby,
    FakeJellyfin,
    FakeKodi,
    FakePlex,
    FakePlexTv,
    Fault,
    make_catalogue,
)

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals"),
    pytest.mark.usefixtures("measured_processes"),
]
if os.name != "nt":
    sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
    from terminal import Terminal, terminal

CATALOGUE = make_catalogue(films=2, shows=1)
FOLDER = Path("data/mediasync")
FILE = FOLDER / "mediasync.toml"


def source(name: str, path: Path = FILE) -> SourceConfig:
    found = read_configuration(path).sources[name]
    assert isinstance(found, SourceConfig), found
    return found


def assert_private(*names: str) -> None:
    for name in names:
        assert stat.S_IMODE((FOLDER / name).stat().st_mode) == 0o600, name


@pytest.fixture
def beside(run: Run) -> Beside:
    """Run the command line in a thread, while servers in this one answer it."""

    async def run_beside(*arguments: object) -> Ended:
        return await asyncio.to_thread(run, *arguments)

    return run_beside


async def assert_syncs(beside: Beside, name: str) -> Ended:
    ended = await beside("sync", name, "--json")
    assert ended.code == 0, ended
    assert ended.json["sources"][0]["run"]["saved"] > 0
    return ended


def start(*arguments: str, **environment: str):
    return terminal("init", *arguments, environment=process_environment(environment))


# In a terminal


async def test_jellyfin_by_quick_connect_then_kodi_by_password_then_a_first_sync() -> None:
    async with (
        FakeJellyfin(CATALOGUE) as jellyfin,
        FakeKodi(CATALOGUE, password="pw of kodi") as kodi,
        start("--database", "media.db") as screen,
    ):
        await screen.answer("Look for servers", "")
        await screen.expect("5  a folder of NFO files")
        await screen.answer("Kind of source", "2")
        await screen.answer("Address of the server", jellyfin.url.removeprefix("http://"))
        await screen.expect(f"Found jellyfin at {jellyfin.url}")
        await screen.answer("How to sign in [quick-connect]", "")
        await screen.expect(f"Open {jellyfin.url}/web/#/quickconnect and type 000001. You have 10 minutes")
        jellyfin.accounts.approve("000001", "admin")
        await screen.expect("1  Films")
        await screen.answer("Which ones to include (numbers, with commas) [all]", "1")
        await screen.answer("Name of the source [fixture]", "Home")
        await screen.expect("cannot name a source: use lower-case letters")
        await screen.answer("Name of the source", "home")
        await screen.answer("Add another source?", "y")

        await screen.answer("Look for servers", "n")
        await screen.answer("Kind of source", "kodi")
        await screen.answer("Address of the server", kodi.url)
        await screen.answer("User [kodi]", "")
        await screen.answer_hidden("Password", "wrong")
        await screen.expect("That does not work: ")
        await screen.answer("User [kodi]", "")
        await screen.answer_hidden("Password", "pw of kodi")
        await screen.answer("Which ones to include", "1, 2")
        await screen.answer("Name of the source [fake-kodi]", "")
        await screen.answer("Add another source?", "n")
        await screen.answer("Sync now?", "")
        assert await screen.ended() == 0
    assert "pw of kodi" not in screen.screen
    assert screen.screen.count("items seen,") >= 2
    assert_private("home.token", "fake-kodi.password", "mediasync.toml")
    home = source("home")
    assert (home.url, home.include) == (jellyfin.url, ("Films",))
    assert jellyfin.tokens[home.read_secret("token") or ""] == "admin"
    assert (source("fake-kodi").username, source("fake-kodi").include) == ("kodi", ())
    assert Path("media.db").exists()


async def test_emby_by_password_after_a_wrong_kind_and_a_wrong_password(beside: Beside) -> None:
    async with FakeEmby(CATALOGUE, users={"anna": "right"}) as emby, start("--no-sync") as screen:
        await screen.answer("Look for servers", "n")
        await screen.answer("Kind of source", "jellyfin")
        await screen.answer("Address of the server", emby.url)
        await screen.expect(f"That does not work: this is Emby (at {emby.url}), not Jellyfin")
        await screen.answer("Kind of source [jellyfin]", "emby")
        await screen.answer("Address of the server", emby.url)
        await screen.answer("How to sign in [password]", "")
        await screen.answer("User", "anna")
        await screen.answer_hidden("Password", "not-right")
        await screen.expect(
            "That does not work: the server does not accept the user 'anna' with this password"
        )
        await screen.answer("How to sign in", "1")
        await screen.answer("User", "anna")
        await screen.answer_hidden("Password", "right")
        await screen.answer("Which ones to include", "all")
        await screen.answer("Name of the source", "den")
        await screen.answer("Add another source?", "n")
        assert await screen.ended() == 0
        assert "not-right" not in screen.screen
        assert sorted(path.name for path in FOLDER.iterdir()) == ["client-id", "den.token", "mediasync.toml"]
        await assert_syncs(beside, "den")


async def test_plex_by_pin_chooses_one_of_the_servers(beside: Beside) -> None:
    async with (
        FakePlex(CATALOGUE, token="t1", machine_id="1", name="Living Room") as one,
        FakePlex(CATALOGUE, token="t2", machine_id="2", name="Holiday Home") as two,
        FakePlexTv([one, two]) as plex_tv,
        start("--kind", "plex", "--no-sync", MEDIASYNC_PLEX_TV=plex_tv.url) as screen,
    ):
        await screen.answer("How to sign in [key]", "pin")
        await screen.expect(f"Open {plex_tv.url}/link and type ")
        await screen.expect("You have 15 minutes")
        plex_tv.approve(plex_tv.codes[0])
        await screen.expect("2  Holiday Home")
        await screen.answer("Server", "2")
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source [holiday-home]", "")
        await screen.answer("Add another source?", "")
        assert await screen.ended() == 0
        assert source("holiday-home").read_secret("token") == "t2"
        assert_private("holiday-home.token")
        await assert_syncs(beside, "holiday-home")


async def test_plex_by_key_syncs_after_its_token_has_ended(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        FakePlex(CATALOGUE, token="of-the-server", name="Living Room") as plex,
        FakePlexTv([plex]) as plex_tv,
        start("--kind", "plex", "--no-sync", MEDIASYNC_PLEX_TV=plex_tv.url) as screen,
    ):
        await screen.answer("How to sign in [key]", "")
        await screen.expect(f"Open {plex_tv.url}/auth#?clientID=")
        plex_tv.approve(plex_tv.codes[0])
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source", "")
        await screen.answer("Add another source?", "")
        assert await screen.ended() == 0
        assert_private("living-room.token", "living-room.key")
        first = source("living-room").read_secret("token")
        plex_tv.expire_tokens()
        monkeypatch.setenv("MEDIASYNC_PLEX_TV", plex_tv.url)
        ended = await assert_syncs(beside, "living-room")
        second = source("living-room").read_secret("token")
        assert second != first
        assert_private("living-room.token")
        for secret in (first, second, (FOLDER / "living-room.key").read_text().splitlines()[1]):
            assert secret
            assert secret not in f"{screen.screen}{ended}{FILE.read_text()}"
        checked = (await beside("config", "check")).out
        assert "living-room.key" in checked
        assert (await beside("config", "check", "--json")).json["sources"][0]["error"] is None
        plex_tv.revoke()
        ended = await beside("sync", "living-room")
        assert (ended.code, "sign in again with mediasync init" in ended.err) == (3, True)


async def test_a_folder_and_a_path_that_is_none(beside: Beside, library: Path) -> None:
    async with start("--no-sync") as screen:
        await screen.answer("Look for servers", "")
        await screen.answer("Kind of source", "9")
        await screen.expect("'9' is none of them: type a number from 1 to 5")
        await screen.answer("Kind of source", "5")
        await screen.answer("Folder of the NFO files", "/there/is/none")
        await screen.expect("That does not work: its folder '/there/is/none' cannot be listed")
        await screen.answer("Folder of the NFO files", str(library))
        await screen.answer("Which ones to include", "3")
        await screen.expect("'3' is not a list of numbers from 1 to 2")
        await screen.answer("Which ones to include", "1")
        await screen.answer("Name of the source [nfo-library]", "films")
        await screen.answer("Add another source?", "n")
        assert await screen.ended() == 0
    assert source("films").folder == library
    await assert_syncs(beside, "films")


async def test_a_self_signed_certificate_is_given_as_a_file(beside: Beside, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with FakeKodi(CATALOGUE, tls=context) as kodi, start("--kind", "kodi", "--no-sync") as screen:
        await screen.answer("Address of the server", kodi.url)
        await screen.expect("is not trusted")
        await screen.expect("A self-signed certificate is trusted if you give it as a file")
        await screen.answer("Certificate file, or no, or empty", str(tmp_path / "ca.pem"))
        await screen.expect("Found kodi")
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source", "den")
        await screen.answer("Add another source?", "n")
        assert await screen.ended() == 0
        assert source("den").verify == tmp_path / "ca.pem"
        await assert_syncs(beside, "den")


async def leave(screen: Terminal, at: str) -> None:
    await screen.expect(at)
    screen.interrupt()
    assert await screen.ended() == 130
    assert screen.shows_what_is_typed
    assert "Traceback" not in screen.screen
    assert not FILE.exists()
    assert not list(FOLDER.glob("*.token"))
    assert not list(FOLDER.glob(".*"))


async def test_ctrl_c_at_any_question_leaves_nothing() -> None:
    async with FakeJellyfin(CATALOGUE) as server:
        options = ("--kind", "jellyfin", "--url", server.url)
        async with start(*options, "--user", "admin") as screen:
            await leave(screen, "Password")
        async with start(*options, "--sign-in", "quick-connect") as screen:
            await leave(screen, "Waiting")
        async with start(*options, "--sign-in", "quick-connect") as screen:
            await screen.expect("type 000002")
            server.accounts.approve("000002", "admin")
            await screen.answer("Which ones to include", "2")
            await leave(screen, "Name of the source")


async def test_a_second_run_adds_a_source_and_replaces_one_only_if_told(
    beside: Beside, library: Path
) -> None:
    ended = await beside("init", "--folder", str(library), "--name", "films", "--yes")
    assert ended.code == 0, ended
    FILE.write_text(f'# mine\n{FILE.read_text()}every = "6h"\n')
    async with start("--folder", str(library / "movies"), "--no-sync") as screen:
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source [nfo-movies]", "films")
        await screen.answer("Replace the settings of 'films'? [y/N]", "n")
        await screen.expect("there is a source 'films' already")
        await screen.answer("Name of the source", "more")
        await screen.answer("Add another source?", "y")
        await screen.answer("Look for servers", "")
        await screen.answer("Kind of source", "nfo")
        await screen.answer("Folder of the NFO files", str(library / "movies"))
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source", "films")
        await screen.answer("Replace the settings of 'films'? [y/N]", "y")
        await screen.answer("Add another source?", "n")
        assert await screen.ended() == 0
    assert FILE.read_text().startswith("# mine\n")
    assert list(read_configuration(FILE).sources) == ["films", "more"]
    assert (source("films").folder, source("films").every is None) == (library / "movies", False)


ON_LOOPBACK = """
import sys
from dataclasses import replace
from mediasync import discovery
from mediasync.cli import main
port = int(sys.argv[1])
discovery.QUESTIONS = [replace(discovery.QUESTIONS[0], address=("127.0.0.1", port))]
sys.exit(main(sys.argv[2:]))
"""


class Beacon(asyncio.DatagramProtocol):
    """A Jellyfin that answers who it is."""

    def __init__(self, url: str) -> None:
        self.answer = json.dumps({"Address": url, "Id": "1", "Name": "Den"}).encode()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, _: bytes, addr: Any) -> None:
        self.transport.sendto(self.answer, addr)


async def test_a_server_that_is_found_on_the_network_needs_no_address() -> None:
    async with FakeJellyfin(CATALOGUE, users={"admin": ""}) as server:
        loop = asyncio.get_running_loop()
        endpoint = loop.create_datagram_endpoint(lambda: Beacon(server.url), local_addr=("127.0.0.1", 0))
        transport, _ = await endpoint
        port = str(transport.get_extra_info("sockname")[1])
        options = ("init", "--discover", "--user", "admin", "--no-sync")
        async with terminal(port, *options, environment=process_environment(), code=ON_LOOPBACK) as screen:
            await screen.expect(f"1  jellyfin at {server.url} Den")
            await screen.expect("2  none of these")
            await screen.answer("Server", "1")
            await screen.answer_hidden("Password", "")
            await screen.answer("Which ones to include", "")
            await screen.answer("Name of the source", "")
            await screen.answer("Add another source?", "n")
            assert await screen.ended() == 0
        transport.close()
    assert source("fixture").url == server.url


# By options


async def test_jellyfin_by_options(beside: Beside, tmp_path: Path) -> None:
    password = tmp_path / "pw.txt"
    password.write_text("right\n")
    async with FakeJellyfin(CATALOGUE, users={"admin": "x", "anna": "right"}) as server:
        options = (
            "--kind",
            "jellyfin",
            "--url",
            server.url,
            "--user",
            "anna",
            "--password-file",
            str(password),
        )
        ended = await beside("init", *options, "--library", "TV Shows", "--json")
        assert ended.code == 0, ended
        shown = ended.json
        assert (shown["id"], shown["kind"], shown["url"]) == ("fixture", "jellyfin", server.url)
        assert {one["title"]: one["included"] for one in shown["libraries"]} == {
            "Films": False,
            "TV Shows": True,
        }
        assert shown["secrets"] == [str(FOLDER.absolute() / "fixture.token")]
        assert source("fixture").include == ("TV Shows",)
        assert "right" not in f"{ended}{FILE.read_text()}"
        again = await beside("init", *options, "--yes")
        assert (again.code, source("fixture-2").url) == (0, server.url)
        taken = await beside("init", *options, "--yes", "--name", "fixture")
        assert taken.code == 2
        assert "there is a source 'fixture' already" in taken.err
        replaced = await beside("init", *options, "--yes", "--name", "fixture", "--replace", "--sync")
        assert replaced.code == 0, replaced
        assert source("fixture").include == ()
        password.write_text("wrong-secret")
        refused = await beside("init", *options, "--yes")
        assert refused.code == 3
        assert "does not accept the user 'anna'" in refused.err
        assert "wrong-secret" not in f"{refused}"


async def test_quick_connect_needs_no_terminal(beside: Beside) -> None:
    async with FakeJellyfin(CATALOGUE) as server:
        server.before = lambda request: server.accounts.approve("000001", "admin") and None
        ended = await beside("init", "--url", server.url, "--sign-in", "quick-connect", "--yes")
        assert ended.code == 0, ended
        assert "and type 000001" in ended.err
        server.accounts.quick_connect = False
        ended = await beside("init", "--url", server.url, "--sign-in", "quick-connect", "--yes")
        assert (ended.code, "switched off on this server" in ended.err) == (3, True)


async def test_plex_by_options(beside: Beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakePlex(CATALOGUE, token="t1") as plex, FakePlexTv([plex]) as plex_tv:
        monkeypatch.setenv("MEDIASYNC_PLEX_TV", plex_tv.url)
        plex_tv.approves_at_once = True
        for way in ("pin", "key"):
            ended = await beside("init", "--url", plex.url, "--sign-in", way, "--name", way, "--yes")
            assert ended.code == 0, ended
        assert source("pin").read_secret("token") == "t1"
        assert source("key").key_file == FOLDER.absolute() / "key.key"
        plex_tv.approves_at_once = False
        gone = Fault.status(404, at=lambda request: request.method == "GET" and "/pins/" in request.path)
        plex_tv.faults = [gone]
        ended = await beside("init", "--kind", "plex", "--sign-in", "pin", "--yes")
        assert (ended.code, "the code has expired" in ended.err) == (3, True)
        (tmp_path / "token").write_text("t1\n")
        ended = await beside("init", "--url", plex.url, "--token-file", str(tmp_path / "token"), "--yes")
        assert ended.code == 0, ended
        assert source("fake-plex").read_secret("token") == "t1"


async def test_which_of_several_servers_of_an_account_is_not_guessed(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        FakePlex(CATALOGUE, token="t1", machine_id="1", name="One") as one,
        FakePlex(CATALOGUE, token="t2", machine_id="2", name="Two") as two,
        FakePlexTv([one, two], is_owner=False) as plex_tv,
    ):
        plex_tv.approves_at_once = True
        monkeypatch.setenv("MEDIASYNC_PLEX_TV", plex_tv.url)
        options = ("init", "--kind", "plex", "--sign-in", "pin", "--yes")
        ended = await beside(*options)
        assert (ended.code, "several servers (One, Two): give --url" in ended.err) == (2, True)
        ended = await beside(*options, "--url", two.url)
        assert ended.code == 0, ended
        assert source("two").read_secret("token") == "t2"
        plex_tv.servers.clear()
        asked = len(two.requests)
        ended = await beside(*options, "--url", two.url, "--name", "other")
        assert (ended.code, f"the server at {two.url} is not one of this account's" in ended.err) == (3, True)
        assert not [request for request in two.requests[asked:] if "x-plex-token" in request.headers]
        ended = await beside(*options)
        assert (ended.code, "Plex names no server of this account: give --url" in ended.err) == (2, True)


async def test_an_account_without_servers_is_asked_for_an_address() -> None:
    async with (
        FakePlex(CATALOGUE, token="t1", name="Living Room") as plex,
        FakePlexTv() as plex_tv,
        start("--kind", "plex", "--no-sync", MEDIASYNC_PLEX_TV=plex_tv.url) as screen,
    ):
        await screen.answer("How to sign in", "pin")
        await screen.expect("Waiting")
        plex_tv.approve(plex_tv.codes[0])
        await screen.expect("Plex names no server of this account")
        await screen.answer("Address of the server", plex.url)
        await screen.answer("Send it the account's token? [y/N]", "")
        await screen.expect(f"That does not work: the server at {plex.url} is not one of this account's")
        await screen.answer("How to sign in", "token")
        await screen.answer_hidden("Token", "t1")
        await screen.expect("Plex names no server of this account")
        await screen.answer("Address of the server", plex.url)
        await screen.answer("Which ones to include", "")
        await screen.answer("Name of the source [living-room]", "")
        await screen.answer("Add another source?", "")
        assert await screen.ended() == 0
    assert source("living-room").read_secret("token") == "t1"


async def test_kodi_by_options(beside: Beside, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("secret")
    async with FakeKodi(CATALOGUE) as kodi:
        ended = await beside("init", "--url", kodi.url, "--timezone", "Europe/Berlin", "--yes")
        assert ended.code == 0, ended
        assert (source("fake-kodi").username, source("fake-kodi").timezone) == (None, "Europe/Berlin")
        kodi.password = "secret"
        ended = await beside("init", "--url", kodi.url, "--yes")
        assert (ended.code, "give --user and --password-file" in ended.err) == (2, True)
        ended = await beside(
            "init", "--url", kodi.url, "--password-file", str(tmp_path / "pw"), "--name", "den", "--yes"
        )
        assert ended.code == 0, ended
        await assert_syncs(beside, "den")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--yes"], 2, "kind of source is missing: give --kind"),
        (["--kind", "kodi", "--yes"], 2, "address of the server is missing: give --url"),
        (["--kind", "nfo", "--yes"], 2, "folder of the nfo files is missing: give --folder"),
        (["--kind", "plex", "--yes"], 2, "say how to sign in: give --sign-in key, pin, token"),
        (["--folder", ".", "--url", "nas", "--yes"], 2, "--folder and --url exclude each other"),
        (["--folder", "/none", "--yes"], 3, "its folder '/none' cannot be listed"),
        (["--url", "http://127.0.0.1:1", "--yes"], 3, "no connection to 127.0.0.1:1"),
        (["--url", "http://me:pw@nas", "--yes"], 2, "a password do not belong in a URL"),
        (["--folder", ".", "--name", "Films", "--yes"], 2, "'Films' cannot name a source"),
        (["--folder", ".", "--json", "--sync"], 2, "--sync and --json exclude each other"),
    ],
)
def test_what_is_missing_or_wrong_is_named(run: Run, options: list[str], code: int, message: str) -> None:
    ended = run("init", *options)
    assert ended.code == code, ended
    assert message in ended.err
    assert not FILE.exists()


async def test_a_way_to_sign_in_that_the_server_does_not_have(beside: Beside, tmp_path: Path) -> None:
    async with FakeEmby(CATALOGUE) as emby:
        ended = await beside("init", "--url", emby.url, "--sign-in", "pin", "--yes")
        assert ended.code == 2
        assert "emby cannot be signed in to by pin: give password or token" in ended.err
        ended = await beside("init", "--url", emby.url, "--user", "a", "--password-file", "none", "--yes")
        assert ended.code == 2
        assert "--password-file: 'none' cannot be read: No such file" in ended.err


def test_a_library_that_there_is_not(run: Run, library: Path) -> None:
    ended = run("init", "--folder", library, "--library", "Music", "--yes")
    assert (ended.code, "there is no library 'Music'; there are: movies, tvshows" in ended.err) == (2, True)
    assert not FILE.exists()


def test_the_file_that_config_names_is_made(run: Run, library: Path, tmp_path: Path) -> None:
    path = tmp_path / "conf" / "media.toml"
    ended = run("init", "--folder", library, "--config", path, "--yes", "--sync")
    assert ended.code == 0, ended
    assert "Database: " in ended.out
    assert source("nfo-library", path).folder == library


def test_servers_are_listed_only_if_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [[DiscoveredServer("plex", "http://127.0.0.1:32400", "Den\x1b[2J")], []]

    async def discover_servers() -> list[DiscoveredServer]:
        return answers.pop(0)

    monkeypatch.setattr(command, "discover_servers", discover_servers)
    assert run("init", "--yes").code == 2
    ended = run("init", "--discover", "--yes")
    assert (ended.code, ended.out.split()[3:]) == (0, ["plex", "http://127.0.0.1:32400", "Den[2J"])
    ended = run("init", "--discover", "--json")
    assert (ended.code, json.loads(ended.out)) == (1, {"discovered": []})
