"""The examples of reverse proxies, in front of an app: they pass on what it needs, and events at once."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import ssl
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import uvicorn
import yaml
from deployment_files import DEPLOY, PORT, program
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

PROXY = DEPLOY / "proxy"
NAMES = ("media.example.org", "home.example.org")
PLACES = [("media.example.org", ""), ("home.example.org", "/media")]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@asynccontextmanager
async def app_running() -> AsyncIterator[int]:
    """Run an app that says what it was asked, and streams two events, the second when it is told to."""
    told = asyncio.Event()

    async def seen(request: Request) -> JSONResponse:
        return JSONResponse({"path": request.url.path, "headers": dict(request.headers)})

    async def events(_: Request) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            told.clear()
            yield "data: one\n\n"
            await told.wait()
            yield "data: two\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def go_on(_: Request) -> JSONResponse:
        told.set()
        return JSONResponse(None)

    paths = [("/seen", seen), ("/events", events), ("/go-on", go_on)]
    app = Starlette(routes=[Route(prefix + path, call) for prefix in ("", "/media") for path, call in paths])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", proxy_headers=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    client: httpx.AsyncClient
    port: int

    def request(self, host: str, path: str, **headers: str) -> httpx.Request:
        return self.client.build_request(
            "GET",
            f"https://127.0.0.1:{self.port}{path}",
            headers={"Host": host, **headers},
            extensions={"sni_hostname": host},
        )

    async def json(self, host: str, path: str, **headers: str) -> Any:
        return (await self.client.send(self.request(host, path, **headers))).raise_for_status().json()


async def wait_for(port: int, process: Process) -> None:
    """Wait until something listens."""
    while True:
        assert process.returncode is None, "the proxy has ended"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        await writer.wait_closed()
        return


def nginx_files(folder: Path, port: int, behind: int, authority: trustme.CA) -> list[str]:
    """Write the example with other ports and certificates, and return the command that runs it."""
    text = (PROXY / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"listen (?:\[::\]:)?443 ssl;", f"listen 127.0.0.1:{port} ssl;", text)
    text = re.sub(rf"(listen 127\.0\.0\.1:{port} ssl;\n\s*)listen 127[^;]*;", r"\1", text)
    for name in NAMES:
        issued = authority.issue_cert(name)
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
    text = text.replace("/etc/ssl/", f"{folder}/").replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{behind}")
    (folder / "mediasync.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/mediasync.conf; }}\n"
    )
    return [program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy_files(folder: Path, port: int, behind: int, authority: trustme.CA) -> list[str]:
    """Write the example with other ports and certificates, and return the command that runs it."""
    text = (PROXY / "Caddyfile").read_text(encoding="utf-8")
    for name in NAMES:
        issued = authority.issue_cert(name)
        issued.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        pem = folder / f"{name}.pem"
        text = text.replace(
            f"\n{name} {{", f"\nhttps://{name}:{port} {{\n\tbind 127.0.0.1\n\ttls {pem} {pem}"
        )
    text = text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{behind}")
    quiet = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(quiet + text)
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES = {"nginx": nginx_files, "caddy": caddy_files}


@pytest.fixture(params=PROXIES)
async def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Proxy]:
    """Each proxy with its example, in front of the app."""
    authority, port = trustme.CA(), free_port()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with app_running() as behind:
        command = PROXIES[request.param](tmp_path, port, behind, authority)
        environment = {
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            await wait_for(port, process)
            async with httpx.AsyncClient(verify=context, trust_env=False, timeout=20) as client:
                yield Proxy(client, port)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def test_the_app_learns_who_asks_for_what(proxy: Proxy) -> None:
    for host, prefix in PLACES:
        seen = await proxy.json(host, f"{prefix}/seen", **{"X-Forwarded-For": "203.0.113.9"})
        headers = seen["headers"]
        assert seen["path"] == f"{prefix}/seen"
        assert headers["host"].partition(":")[0] == host
        assert headers["x-forwarded-proto"] == "https"
        assert headers["x-forwarded-for"] == "127.0.0.1", "a client cannot say that it is another one"


async def test_an_event_arrives_before_the_next_one_is_sent(proxy: Proxy) -> None:
    for host, prefix in PLACES:
        request = proxy.request(host, f"{prefix}/events", **{"Accept-Encoding": "gzip"})
        answer = await proxy.client.send(request, stream=True)
        try:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in answer.headers
            pieces = answer.aiter_text()
            assert await anext(pieces) == "data: one\n\n"
            await proxy.json(host, f"{prefix}/go-on")
            assert "".join([piece async for piece in pieces]) == "data: two\n\n"
        finally:
            await answer.aclose()


async def test_the_path_without_a_slash_leads_to_the_site(proxy: Proxy) -> None:
    answer = await proxy.client.send(proxy.request("home.example.org", "/media"))
    assert answer.status_code == 308
    assert httpx.URL(answer.headers["location"]).path == "/media/"


async def test_nginx_and_caddy_accept_their_files(tmp_path: Path) -> None:
    authority = trustme.CA()
    commands = []
    if shutil.which("nginx"):
        commands.append([*nginx_files(tmp_path, 443, PORT, authority), "-t"])
    if shutil.which("caddy"):
        caddy = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(PROXY / "Caddyfile")]
        commands += [caddy, ["caddy", "fmt", "--diff", str(PROXY / "Caddyfile")]]
    if not commands:
        pytest.skip("neither nginx nor Caddy is installed here")
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            *command, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, stdout=PIPE, stderr=PIPE
        )
        _, err = await process.communicate()
        assert process.returncode == 0, (command, err.decode())


def test_traefiks_routers_lead_to_the_site() -> None:
    http = yaml.safe_load((PROXY / "traefik.yaml").read_text(encoding="utf-8"))["http"]
    assert http.keys() == {"routers", "services"}, "a middleware that buffers would hold events back"
    [(name, service)] = http["services"].items()
    [server] = service["loadBalancer"]["servers"]
    assert server["url"] == f"http://127.0.0.1:{PORT}"
    assert [router["service"] for router in http["routers"].values()] == [name, name]
    rules = [router["rule"] for router in http["routers"].values()]
    assert rules == [
        "Host(`media.example.org`)",
        "Host(`home.example.org`) && PathPrefix(`/media`)",
    ]
    assert json.dumps(http).count("certResolver") == 2
