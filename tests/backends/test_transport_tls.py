"""Certificates, a CA of one's own, and proxies, with a real TLS server and real proxies on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from transport_servers import TOKEN, Echo, opened, raw_server

from mediasync.backends import redirects as addresses
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.testing import Fault, Request, Response

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that tests run on are none of theirs."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """A CA that no machine trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    """The file of `ca`."""
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


def context(ca: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the context of a server whose certificate names *name*."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(made)
    return made


async def test_a_certificate_of_an_unknown_ca_is_refused_and_the_error_says_what_to_do(
    ca: trustme.CA,
) -> None:
    async with Echo(tls=context(ca)) as server, opened(server.url) as transport:
        with pytest.raises(SourceUnreachable) as caught:
            await transport.get_json("/Items")
        assert "the certificate of 127.0.0.1:" in str(caught.value)
        assert "is not trusted (unable to get local issuer certificate)" in str(caught.value)
        assert "the file of the CA that signed it" in str(caught.value)
        assert "verify = false" in str(caught.value)
        assert transport.requests == 1
        assert server.requests == []


async def test_a_ca_file_and_no_check_at_all(ca: trustme.CA, ca_file: Path) -> None:
    async with Echo(tls=context(ca), base_path="/jellyfin") as server:
        for verify in (ca_file, False):
            async with opened(server.url, verify=verify) as transport:
                assert (await transport.get_json("/Items"))["path"] == "/Items"
    assert [request.headers["x-token"] for request in server.requests] == [TOKEN, TOKEN]


async def test_the_environment_names_who_is_trusted_anew_each_time(
    ca: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Echo(tls=context(ca)) as server:
        for trusted in (False, True, False):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
            else:
                monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            async with opened(server.url) as transport:
                if trusted:
                    assert (await transport.get_json("/Items"))["path"] == "/Items"
                else:
                    with pytest.raises(SourceUnreachable, match="is not trusted"):
                        await transport.get_json("/Items")


async def test_a_certificate_of_another_name(ca: trustme.CA, ca_file: Path) -> None:
    tls = context(ca, "media.example")
    async with Echo(tls=tls) as server, opened(server.url, verify=ca_file) as transport:
        with pytest.raises(SourceUnreachable, match=r"is for another name .*127\.0\.0\.1"):
            await transport.get_json("/Items")


async def test_another_ca_than_the_one_that_signed(ca: trustme.CA, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    async with Echo(tls=context(ca)) as server, opened(server.url, verify=other) as transport:
        with pytest.raises(SourceUnreachable, match="is not trusted"):
            await transport.get_json("/Items")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_ca_file_that_is_none(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"source 'home': its CA file '.*ca\.pem'"):
        async with opened("https://127.0.0.1:1", verify=path):
            pass


async def test_https_to_a_server_that_speaks_http() -> None:
    async with Echo() as server, opened(server.url.replace("http:", "https:"), tries=2) as transport:
        with pytest.raises(
            SourceUnreachable, match=r"does not use TLS .*should its address begin with http://"
        ):
            await transport.get_json("/Items")


async def test_http_to_a_server_that_speaks_https(ca: trustme.CA) -> None:
    tls = context(ca)
    async with Echo(tls=tls) as server, opened(server.url.replace("https:", "http:"), tries=2) as transport:
        with pytest.raises(SourceUnreachable, match="GET /Items"):
            await transport.get_json("/Items")
    assert server.requests == []


async def test_a_redirect_to_tls_on_the_same_host_is_followed_and_one_away_from_it_is_not(
    ca: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Echo() as plain, Echo(tls=context(ca)) as secure:
        ports = {httpx.URL(plain.url).port: httpx.URL(secure.url).port}
        monkeypatch.setattr(addresses, "_SECURE_PORTS", ports)
        plain.faults = [Fault.status(301, {"Location": f"{secure.url}/Items"}, times=None)]
        async with opened(plain.url, verify=ca_file) as transport:
            assert (await transport.get_json("/Items"))["path"] == "/Items"
        assert secure.requests[0].headers["x-token"] == TOKEN
        secure.faults = [Fault.status(301, {"Location": f"{plain.url}/Items"}, times=None)]
        plain.requests.clear()
        async with opened(secure.url, verify=ca_file) as transport:
            with pytest.raises(SourceUnreachable, match="not sent to another server"):
                await transport.get_json("/Items")
        assert plain.requests == []


@pytest.mark.parametrize(
    ("here", "there", "may"),
    [
        ("http://host:8096/a", "https://host:8920/b", True),
        ("http://host:8096/a", "https://host:8096/b", True),
        ("http://host:8096/a", "https://host/b", True),
        ("http://host/a", "https://host/b", True),
        ("http://host:8096/a", "https://host:9999/b", False),
        ("http://host/a", "https://host:8920/b", False),
        ("http://host/a", "https://other/b", False),
        ("https://host/a", "http://host/b", False),
        ("http://host:1/a", "http://host:2/b", False),
    ],
)
def test_which_redirects_are_followed(here: str, there: str, may: bool) -> None:
    assert addresses.may_follow(httpx.URL(here), httpx.URL(there)) == may


# Proxies


class Proxy(Echo):
    """A proxy for plain HTTP."""

    async def handle(self, request: Request) -> Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.request(
                request.method, request.path, params=request.query, headers=request.headers
            )
        return Response(answer.status_code, {"Content-Type": answer.headers["Content-Type"]}, answer.content)


@asynccontextmanager
async def tunnel(asked: list[str]) -> AsyncIterator[str]:
    """Run a proxy that answers CONNECT with a tunnel, and give its address."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        host, _, port = head.split()[1].rpartition(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        await there_writer.wait_closed()

    async with raw_server(handler) as url:
        yield url


async def test_a_proxy_from_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Echo() as server, Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:hunter2@"))
        async with opened(server.url) as transport:
            answer = await transport.get_json("/Items", {"limit": 1})
        assert answer["query"] == {"limit": ["1"]}
        assert [request.path for request in proxy.requests] == [f"{server.url}/Items"]
        assert len(server.requests) == 1


async def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Echo() as server, Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with opened(server.url) as transport:
            await transport.get_json("/Items")
        assert proxy.requests == []
        assert len(server.requests) == 1


async def test_tls_goes_through_a_proxy_that_never_sees_the_token(
    ca: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    async with Echo(tls=context(ca)) as server, tunnel(asked) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with opened(server.url, verify=ca_file) as transport:
            assert (await transport.get_json("/Items"))["path"] == "/Items"
    assert len(asked) == 1
    assert asked[0].startswith(f"CONNECT {server.url.removeprefix('https://')} ")
    assert TOKEN not in asked[0]


async def test_a_proxy_that_refuses(ca: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Echo(tls=context(ca)) as server, Echo() as proxy:
        proxy.faults = [Fault.status(407, times=None)]
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:hunter2@"))
        async with opened(server.url, tries=2) as transport:
            with pytest.raises(SourceUnreachable, match="the proxy in the environment") as caught:
                await transport.get_json("/Items")
        assert "407" in str(caught.value)
        assert "hunter2" not in str(caught.value)
