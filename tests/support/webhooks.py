"""A webhook on loopback, which notes what is posted to it."""

from __future__ import annotations

from typing import Any

from mediasync.testing import FakeServer, Request, Response

SECRET = "t0pic-that-nobody-guesses"


class Webhook(FakeServer):
    """Answers with the statuses it is given, one after another, and then with 200.

    Args:
        *statuses: of the first answers.
        headers: of these answers.
    """

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.statuses = list(statuses)
        self.headers = headers or {}

    @property
    def hook(self) -> str:
        """The URL to notify, with a secret in its path and its query."""
        return f"{self.url}/{SECRET}?token={SECRET}"

    @property
    def documents(self) -> list[Any]:
        """What was posted."""
        return [request.json() for request in self.requests]

    async def handle(self, request: Request) -> Response:
        if self.statuses:
            return Response(self.statuses.pop(0), self.headers)
        return Response.json({})
