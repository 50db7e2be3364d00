"""No secret is in any answer or in the log: every page and every endpoint is searched for each of them."""

from __future__ import annotations

import logging
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import anyio
import pytest
from web_clients import Browser

from mediasync import MediaSync
from mediasync.errors import ConfigurationError
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.testing import FakePlex, make_catalogue
from mediasync.web import Access, Guard, PictureOptions, create_app
from mediasync.web.access_log import AccessLog

SITE = "token-of-the-site-1d9f"
PLEX = "token-of-plex-77ab"
PASSWORD = "password-of-jellyfin-31c0"
HOOK = "secret-of-webhooks-5e2d"
HEADER = "secret-of-a-header-c41e"
SECRETS = (SITE, PLEX, PASSWORD, HOOK, HEADER)
PAGES = 100
"""So many pages are looked at, those that are linked first."""


def sources_of(url: str) -> list[SourceConfig | FlawedSource]:
    return [
        SourceConfig(id="plex", kind="plex", url=url, token=PLEX, tries=1, hook_secret=HOOK),
        SourceConfig(
            id="gone",
            kind="jellyfin",
            url="http://127.0.0.1:9",
            username="admin",
            password=PASSWORD,
            headers={"X-Access": HEADER},
            tries=1,
            backoff=0.001,
        ),
        FlawedSource("flawed", ConfigurationError("source 'flawed': it has no url")),
    ]


def api_paths(document: dict[str, Any], item_id: str, person_id: str) -> list[str]:
    """The paths of all endpoints that answer a GET, with ids that exist."""
    values = {"number": "1", "items": item_id, "people": person_id, "sources": "plex", "runs": "1"}
    found = []
    for path, methods in document["paths"].items():
        if "get" in methods:
            tag = methods["get"]["tags"][0]
            value = values.get("number" if "{number}" in path else tag, item_id)
            found.append("/api/v1" + re.sub(r"\{\w+\}", quote(value), path))
    return found


async def test_no_secret_is_in_an_answer_or_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="mediasync")
    answered: list[str] = []
    leaks: list[tuple[str, str]] = []
    async with FakePlex(make_catalogue(6, 1, seed=3), token=PLEX) as server:
        async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
            sources = sources_of(server.url)
            pictures = PictureOptions(folder=tmp_path / "pictures")
            app = create_app(ms, sources=sources, guard=Guard(SITE, default=Access.READ), pictures=pictures)
            logged: Any = AccessLog(app)
            async with app.router.lifespan_context(app), Browser(logged) as browser:
                send = browser.request

                async def ask(method: str, path: str, **given: Any) -> Any:
                    answer = await send(method, path, **given)
                    answered.append(path)
                    assert answer.status_code < 500, path
                    shown = f"{answer.text}{answer.headers}"
                    leaks.extend((path, secret) for secret in SECRETS if secret in shown)
                    return answer

                await browser.sign_in(SITE)
                assert SITE not in str(browser.cookies.jar)
                for source_id in ("plex", "gone", "flawed"):
                    await ask(
                        "POST",
                        f"/api/v1/sources/{source_id}/sync",
                        headers={"Content-Type": "application/json"},
                    )
                with anyio.fail_after(60):
                    for source_id in ("plex", "gone"):
                        async for _ in app.state.site.desk.follow(source_id):
                            pass
                for path in (f"/hooks/plex/{HOOK}", "/hooks/plex", f"/hooks/gone/{HOOK}"):
                    await ask(
                        "POST", path, json={"event": "library.new"}, headers={"X-Mediasync-Secret": HOOK}
                    )

                waiting = [
                    "/",
                    "/nowhere",
                    "/metrics",
                    "/healthz",
                    "/readyz",
                    "/sources/gone",
                    "/sources/flawed",
                ]
                while waiting and len(answered) < PAGES:
                    path = waiting.pop(0)
                    answer = await ask("GET", path)
                    if answer.headers.get("content-type", "").startswith("text/html"):
                        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text)
                        more = [unescape(link) for link in links if not link.startswith("/static/")]
                        more += [f"{urlsplit(one).path}.json" for one in more if "?" not in one]
                        waiting += [one for one in dict.fromkeys(more) if one not in {*waiting, *answered}]
                item = next(path for path in answered if path.startswith("/items/"))
                people = (await ask("GET", "/api/v1/people?limit=1")).json()["rows"]
                document = (await ask("GET", "/api/v1/openapi.json")).json()
                for path in api_paths(document, item.removeprefix("/items/"), people[0]["id"]):
                    await ask("GET", path)
    assert leaks == []
    assert len(answered) > PAGES
    assert {"/sources/gone", "/runs", "/doctor", "/api/v1/sources"} <= set(answered)
    assert any(path.startswith("/pictures/") for path in answered)
    assert "/hooks/plex/..." in caplog.text
    assert "gone" in caplog.text
    assert [secret for secret in SECRETS if secret in caplog.text] == []
