"""No secret header is in an error, a representation or a log, whatever happens to a request."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest
from pydantic import SecretStr
from transport_servers import EXTRA, TOKEN, Echo, free_port_url, options

from mediasync.backends.transport import Transport
from mediasync.errors import SourceError
from mediasync.testing import Fault

PASSWORD = base64.b64encode(b"me:hunter2").decode()
SIGNED_IN = "Secret-got-by-signing-in"
SECRETS = (TOKEN, EXTRA, PASSWORD, SIGNED_IN, "hunter2", "4711-asked-for")

FAULTS = {
    "none": [],
    **{
        str(status): [Fault.status(status, {"WWW-Authenticate": "Basic"}, times=None)]
        for status in (400, 401, 403, 404, 429, 500, 502, 503)
    },
    "busy": [Fault.busy(3600)],
    "html": [Fault.html(times=None)],
    "truncated": [Fault.truncated(times=None)],
    "cut_json": [Fault.cut_json(times=None)],
    "latin1": [Fault.latin1(times=None)],
    "reset": [Fault.reset(times=None)],
    "hang": [Fault.hang(times=None)],
    "redirect": [Fault.status(302, {"Location": "https://elsewhere.example/"}, times=None)],
}


def make_secretive(url: str) -> Transport:
    """Return a transport with secrets of all kinds."""
    transport = Transport(
        "home",
        url,
        headers={"X-Plex-Token": TOKEN, "Authorization": f"Basic {PASSWORD}"},
        concurrency=2,
        options=options(headers={"CF-Access-Client-Secret": SecretStr(EXTRA)}, read_timeout=0.1, tries=2),
    )
    transport.set_header("X-Emby-Token", SIGNED_IN)
    return transport


def check(texts: list[str]) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in text


async def provoke(transport: Transport) -> list[str]:
    """Send requests and return everything that their errors tell."""
    told: list[str] = []
    transport.on_wait = told.append
    async with transport.open():
        for ask in (
            transport.get_json("/Items", headers={"X-One": TOKEN}),
            transport.post_json("/Items", {"Pw": "hunter2"}),
        ):
            try:
                await ask
            except SourceError as error:
                told += [str(error), repr(error), error.reason, repr(vars(error))]
                told.append("".join(traceback.format_exception(error)))
        told += [repr(transport), str(transport), repr(vars(transport))]
    return told


@pytest.mark.parametrize("name", FAULTS)
async def test_no_secret_is_in_a_message_or_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Echo() as server:
        server.faults = FAULTS[name]
        told = await provoke(make_secretive(server.url))
        assert server.requests
        for request in server.requests:
            assert request.headers["x-plex-token"] == TOKEN
            assert request.headers["x-emby-token"] == SIGNED_IN
            assert request.headers["authorization"] == f"Basic {PASSWORD}"
            assert request.headers["cf-access-client-secret"] == EXTRA
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    check([*told, caplog.text, *(repr(vars(record)) for record in caplog.records)])


async def test_no_secret_is_in_a_message_where_no_server_listens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    check([*await provoke(make_secretive(free_port_url())), caplog.text])


async def test_the_values_of_a_query_are_in_no_error() -> None:
    query = {"userId": "4711-asked-for"}
    async with Echo() as server:
        server.faults = [Fault.status(404, times=None)]
        transport = make_secretive(server.url)
        async with transport.open():
            with pytest.raises(SourceError) as caught:
                await transport.get_json("/Items", query)
    check(["".join(traceback.format_exception(caught.value))])


async def test_a_long_path_is_shortened_in_errors() -> None:
    async with Echo() as server:
        server.faults = [Fault.status(404, times=None)]
        transport = make_secretive(server.url)
        async with transport.open():
            with pytest.raises(SourceError, match=r"GET /library/metadata/1,1.*…") as caught:
                await transport.get_json("/library/metadata/" + "1," * 1000)
    assert len(str(caught.value)) < 300
