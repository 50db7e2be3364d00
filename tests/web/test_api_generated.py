"""Requests that are generated from the OpenAPI document: right ones and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from asgi_thread import running_app
from hypothesis import HealthCheck, settings
from starlette.types import ASGIApp, Receive, Scope, Send
from web_library import EXAMPLES, TOKEN

from mediasync.web import Access, Guard
from mediasync.web.api import ENDPOINTS
from mediasync.web.api.document import make_document

CONFIG = schemathesis.Config.from_dict(
    {
        "seed": 1,
        # A cursor or a full id is more than its schema can say.
        "checks": {"positive_data_acceptance": {"enabled": False}},
    }
)


class Running:
    """The app that runs during the tests of this module."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


running = Running()
schema = schemathesis.openapi.from_dict(
    {**make_document(ENDPOINTS), "servers": [{"url": "/api/v1"}]}, config=CONFIG
)
schema.app = running


@pytest.fixture(scope="module", autouse=True)
def app() -> Iterator[None]:
    """Run the app."""
    with running_app(str(EXAMPLES), Guard(TOKEN, default=Access.READ)) as running.app:
        # The client keeps a thread from its first call on.
        schema["/runs"]["GET"].Case().call()
        yield


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=3, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_is_answered_as_documented(case: schemathesis.Case) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})
