"""Signing in to fake servers: each way, and each way in which it fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from mediasync import MediaSync, Source
from mediasync.backends.plex import PlexBackend
from mediasync.backends.plex.cloud import PlexCloud
from mediasync.backends.plex.device_key import DeviceKey, ends_at
from mediasync.backends.plex.tokens import DeviceTokens
from mediasync.errors import (
    ConfigurationError,
    SourceError,
    SourceUnauthorised,
    SourceUnreachable,
    UsageError,
)
from mediasync.settings.http import HttpOptions
from mediasync.settings.plex_hosts import PlexHosts, plex_hosts
from mediasync.signing_in.credentials import Challenge
from mediasync.signing_in.jellyfin import JellyfinSignIn
from mediasync.signing_in.plan import SourcePlan
from mediasync.signing_in.plex import PlexSignIn, fetch_machine_id
from mediasync.signing_in.trial import try_source
from mediasync.testing import (
    FakeEmby,
    FakeJellyfin,
    FakePlex,
    FakePlexTv,
    Fault,
    make_catalogue,
)

QUICK = HttpOptions(tries=1, connect_timeout=2.0)


def never(challenge: Challenge) -> None:
    raise AssertionError("a code was shown")


def jellyfin_at(server: FakeJellyfin, *, is_emby: bool = False) -> JellyfinSignIn:
    return JellyfinSignIn(
        server.url, is_emby=is_emby, client_id="den", source_id="home", options=QUICK, poll=0.01
    )


# Jellyfin and Emby


@pytest.mark.parametrize("kind", ["jellyfin", "emby"])
async def test_a_password_gives_a_token_that_reads_the_libraries(kind: str) -> None:
    fake = FakeEmby if kind == "emby" else FakeJellyfin
    async with fake(make_catalogue(films=2), users={"anna": "pw é"}) as server:
        credentials = await jellyfin_at(server, is_emby=kind == "emby").by_password("anna", "pw é")
        assert list(credentials.secrets) == ["token"]
        assert credentials.secrets["token"] not in repr(credentials)
        trial = await try_source(
            SourcePlan(kind, server.url, credentials=credentials).config(), client_id="den"
        )
        assert trial.name == "fixture"
        assert trial.libraries
        with pytest.raises(
            SourceUnauthorised, match="does not accept the user 'anna' with this password"
        ) as no:
            await jellyfin_at(server, is_emby=kind == "emby").by_password("anna", "wrong-secret")
        assert "wrong-secret" not in str(no.value)


async def test_quick_connect_waits_for_somebody_to_type_the_code() -> None:
    async with FakeJellyfin(make_catalogue(films=2)) as server:
        shown: list[Challenge] = []
        flow = jellyfin_at(server)
        assert await flow.has_quick_connect()
        signing_in = asyncio.ensure_future(flow.by_quick_connect(shown.append))
        while sum(request.path == "/QuickConnect/Connect" for request in server.requests) < 3:
            await asyncio.sleep(0)
        assert not signing_in.done()
        [challenge] = shown
        assert challenge.url == f"{server.url}/web/#/quickconnect"
        server.accounts.approve(challenge.code, "admin")
        credentials = await signing_in
        assert server.tokens[credentials.secrets["token"]] == "admin"


async def test_quick_connect_that_is_switched_off_says_what_to_do() -> None:
    async with FakeJellyfin(make_catalogue(films=1)) as server:
        server.accounts.quick_connect = False
        assert not await jellyfin_at(server).has_quick_connect()
        with pytest.raises(SourceUnauthorised, match="switched off on this server: switch it on"):
            await jellyfin_at(server).by_quick_connect(never)
    async with FakeEmby(make_catalogue(films=1)) as emby:
        assert not await jellyfin_at(emby, is_emby=True).has_quick_connect()


async def test_quick_connect_that_is_refused_or_has_expired() -> None:
    async with FakeJellyfin(make_catalogue(films=1)) as server:
        approve = server.accounts.approve
        server.faults = [Fault.status(401, at=lambda request: "Authenticate" in request.path)]
        with pytest.raises(SourceUnauthorised, match="refuses the sign-in by Quick Connect"):
            await jellyfin_at(server).by_quick_connect(lambda shown: approve(shown.code, "admin") and None)
        server.faults = [Fault.status(404, at=lambda request: request.path == "/QuickConnect/Connect")]
        with pytest.raises(SourceUnauthorised, match="has expired before somebody typed it"):
            await jellyfin_at(server).by_quick_connect(lambda _: None)


async def test_a_server_that_does_not_answer() -> None:
    async with FakeJellyfin(make_catalogue(films=1)) as server:
        gone = jellyfin_at(server)
    with pytest.raises(SourceUnreachable, match="no connection to 127"):
        await gone.by_password("anna", "pw")


async def test_answers_without_what_they_are_for() -> None:
    async with FakeJellyfin(make_catalogue(films=1), users={"anna": "pw"}) as server:
        server.faults = [Fault.empty(times=2)]
        with pytest.raises(SourceError, match="was answered without a token"):
            await jellyfin_at(server).by_password("anna", "pw")
        with pytest.raises(SourceError, match="was answered without a code"):
            await jellyfin_at(server).by_quick_connect(never)


# Plex


@pytest_asyncio.fixture
async def plex() -> AsyncIterator[FakePlex]:
    async with FakePlex(make_catalogue(films=2), token="of-the-server", name="Living Room") as server:
        yield server


@pytest_asyncio.fixture
async def plex_tv(plex: FakePlex) -> AsyncIterator[FakePlexTv]:
    async with FakePlexTv([plex]) as service:
        yield service


def cloud_at(service: FakePlexTv, *, client_id: str = "den") -> PlexCloud:
    hosts = plex_hosts({"MEDIASYNC_PLEX_TV": service.url})
    return PlexCloud(hosts, client_id, "home", HttpOptions(tries=1, patience=0.5, backoff=0.01))


def backend_at(server: FakePlex, tokens: DeviceTokens) -> PlexBackend:
    source = Source(id="home", kind="plex")
    return PlexBackend(server.url, source=source, tokens=tokens, client_id="den", options=QUICK)


async def test_a_pin_gives_the_token_of_the_server(plex: FakePlex, plex_tv: FakePlexTv) -> None:
    shown: list[Challenge] = []
    signing_in = asyncio.ensure_future(PlexSignIn(cloud_at(plex_tv), poll=0.01).by_pin(shown.append))
    while not shown or sum("/pins/" in request.path for request in plex_tv.requests) < 3:
        await asyncio.sleep(0)
    assert shown[0].url == f"{plex_tv.url}/link"
    assert len(shown[0].code) == 4
    plex_tv.approve(shown[0].code)
    account = await signing_in
    [server] = account.servers
    assert (server.name, server.owned, server.urls) == ("Living Room", True, (plex.url,))
    assert account.server_at(await fetch_machine_id(plex.url, source_id="home", options=QUICK)) == server
    credentials = account.credentials(server)
    assert credentials.secrets == {"token": "of-the-server"}
    trial = await try_source(SourcePlan("plex", plex.url, credentials=credentials).config(), client_id="den")
    assert trial.name == "Living Room"
    assert account.token not in repr(account)
    assert "of-the-server" not in repr(account)


async def test_a_pin_that_expires_unapproved(plex_tv: FakePlexTv) -> None:
    flow = PlexSignIn(cloud_at(plex_tv), poll=0.01)
    with pytest.raises(SourceUnauthorised, match="has expired before it was approved"):
        await flow.by_pin(lambda _: plex_tv.expire_codes())


async def test_a_pin_that_is_asked_for_in_vain_until_its_end(plex: FakePlex) -> None:
    async with FakePlexTv([plex], pin_seconds=0) as service:
        with pytest.raises(SourceUnauthorised, match="has expired before it was approved: begin again"):
            await PlexSignIn(cloud_at(service), poll=0.01).by_pin(lambda _: None)


async def test_too_many_requests_are_waited_for_and_then_reported(plex_tv: FakePlexTv) -> None:
    plex_tv.approves_at_once = True
    plex_tv.faults = [Fault.limit(0, times=1)]
    account = await PlexSignIn(cloud_at(plex_tv), poll=0.01).by_pin(lambda _: None)
    assert account.servers
    plex_tv.faults = [Fault.limit(60, times=None)]
    with pytest.raises(SourceError, match="asks for fewer requests"):
        await PlexSignIn(cloud_at(plex_tv), poll=0.01).by_pin(never)


async def test_a_key_is_registered_and_syncs(plex: FakePlex, plex_tv: FakePlexTv) -> None:
    shown: list[Challenge] = []
    signing_in = asyncio.ensure_future(PlexSignIn(cloud_at(plex_tv), poll=0.01).by_key(shown.append))
    while not shown:
        await asyncio.sleep(0)
    [challenge] = shown
    assert challenge.code == ""
    assert challenge.url.startswith(f"{plex_tv.url}/auth#?clientID=den&code=")
    plex_tv.approve(plex_tv.codes[0])
    account = await signing_in
    assert account.key is not None
    secrets = account.credentials(account.servers[0]).secrets
    assert sorted(secrets) == ["key", "token"]
    assert ends_at(secrets["token"]) is not None
    private = [line for line in secrets["key"].splitlines() if "KEY" not in line]
    assert private[0] not in repr(account)
    for request in plex_tv.requests:
        assert private[0].encode() not in request.body, "the private key never leaves this machine"
    tokens = DeviceTokens(cloud_at(plex_tv), account.key, secrets["token"], None)
    async with MediaSync("sqlite:///:memory:") as ms:
        report = await ms.sync(backend_at(plex, tokens))
    assert report.saved > 0


async def registered(plex_tv: FakePlexTv) -> tuple[DeviceKey, str]:
    """Return a registered key, and its first token."""
    plex_tv.approves_at_once = True
    account = await PlexSignIn(cloud_at(plex_tv), poll=0.01).by_key(lambda _: None)
    assert account.key is not None
    return account.key, account.token


def asked_for_tokens(plex_tv: FakePlexTv) -> int:
    return sum(request.path == "/api/v2/auth/token" for request in plex_tv.requests)


async def test_a_token_is_renewed_before_it_ends(plex_tv: FakePlexTv, tmp_path: Path) -> None:
    key, token = await registered(plex_tv)
    end, file = ends_at(token), tmp_path / "home.token"
    assert end is not None
    early = DeviceTokens(cloud_at(plex_tv), key, token, file, lambda: end - timedelta(days=1, minutes=1))
    assert await early.current() == token
    assert (asked_for_tokens(plex_tv), file.exists()) == (0, False)

    late = DeviceTokens(cloud_at(plex_tv), key, token, file, lambda: end - timedelta(days=1))
    renewed = await late.current()
    assert renewed != token
    assert file.read_text() == f"{renewed}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert asked_for_tokens(plex_tv) == 1


async def test_a_key_without_a_stored_token_asks_for_one(plex_tv: FakePlexTv, tmp_path: Path) -> None:
    key, token = await registered(plex_tv)
    assert await DeviceTokens(cloud_at(plex_tv), key, None, tmp_path / "t").current() != token


async def test_a_token_that_the_server_does_not_accept_is_renewed_once(
    plex: FakePlex, plex_tv: FakePlexTv
) -> None:
    key, token = await registered(plex_tv)
    plex_tv.expire_tokens()
    async with backend_at(plex, DeviceTokens(cloud_at(plex_tv), key, token, None)).open():
        assert asked_for_tokens(plex_tv) == 1
    plex_tv.revoke()
    with pytest.raises(SourceUnauthorised, match="sign in again with mediasync init"):
        async with backend_at(plex, DeviceTokens(cloud_at(plex_tv), key, token, None)).open():
            pass


async def test_status_498_counts_as_an_expired_token(plex: FakePlex, plex_tv: FakePlexTv) -> None:
    key, token = await registered(plex_tv)
    plex.faults = [Fault.status(498, at=lambda request: request.path == "/library/sections")]
    async with backend_at(plex, DeviceTokens(cloud_at(plex_tv), key, token, None)).open():
        assert asked_for_tokens(plex_tv) == 1
    source = Source(id="home", kind="plex")
    plex.faults = [Fault.status(498, at=lambda request: request.path == "/library/sections")]
    backend = PlexBackend(plex.url, source=source, token=plex.token, client_id="den", options=QUICK)
    with pytest.raises(SourceUnauthorised, match="the token has expired; give a new one, or sign in again"):
        async with backend.open():
            pass


async def test_a_token_that_still_holds_is_used_if_plex_cannot_be_asked(
    plex_tv: FakePlexTv, caplog: pytest.LogCaptureFixture
) -> None:
    key, token = await registered(plex_tv)
    end = ends_at(token)
    assert end is not None
    plex_tv.faults = [Fault.status(500, times=None)]
    soon = DeviceTokens(cloud_at(plex_tv), key, token, None, lambda: end - timedelta(hours=1))
    assert await soon.current() == token
    assert "the present token is valid until" in caplog.text
    assert token not in caplog.text
    with pytest.raises(SourceError):
        await DeviceTokens(cloud_at(plex_tv), key, token, None, lambda: end).current()


async def test_a_token_that_cannot_be_stored_is_used_nevertheless(
    plex_tv: FakePlexTv, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = await registered(plex_tv)
    tokens = DeviceTokens(cloud_at(plex_tv), key, None, tmp_path / "no folder" / "home.token")
    assert await tokens.current()
    assert "cannot be stored" in caplog.text


@pytest.mark.parametrize("path", ["nonce", "token", "pins", "resources"])
async def test_an_answer_of_plex_tv_without_what_it_is_for(plex_tv: FakePlexTv, path: str) -> None:
    key, _ = await registered(plex_tv)
    plex_tv.faults = [Fault.empty(at=lambda request: path in request.path)]
    tokens, flow = DeviceTokens(cloud_at(plex_tv), key, None, None), PlexSignIn(cloud_at(plex_tv), poll=0.01)
    with pytest.raises(SourceError, match=r"was answered without|not answered with a list"):
        await (tokens.current() if path in {"nonce", "token"} else flow.by_pin(lambda _: None))


def test_a_key_that_is_not_one_is_refused_without_showing_it() -> None:
    for text in ("secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"):
        with pytest.raises(ConfigurationError, match="not a private Ed25519 key in PEM") as raised:
            DeviceKey.parse(text)
        assert not {"secret", "c2VjcmV0"} & set(str(raised.value).split())


def test_the_hosts_of_plex() -> None:
    assert plex_hosts({}) == PlexHosts("https://clients.plex.tv", "https://plex.tv", "https://app.plex.tv")
    with pytest.raises(ConfigurationError, match="MEDIASYNC_PLEX_TV: the URL does not name a server"):
        plex_hosts({"MEDIASYNC_PLEX_TV": "plex"})


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.e30.c", "a.eyJleHAiOiAieCJ9.c"])
def test_the_end_of_a_token_that_does_not_say_it(token: str) -> None:
    assert ends_at(token) is None


async def test_without_the_extra_a_key_says_what_to_install(
    plex_tv: FakePlexTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = await registered(plex_tv)
    monkeypatch.setitem(sys.modules, "jwt", None)
    for use in (DeviceKey.generate, lambda: DeviceKey.parse(key.text())):
        with pytest.raises(
            UsageError, match=r"needs an extra: pip install 'mediasync-mirror\[plex\]'; or sign in"
        ):
            use()
