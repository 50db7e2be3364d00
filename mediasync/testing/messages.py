"""The requests and responses of a fake server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mediasync.testing.listeners import Listener


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server received it.

    Attributes:
        method: ``GET``, ``POST``, …
        path: the decoded path below the server's base path.
        query: the decoded values of each parameter.
        headers: the headers, with their names in lower case.
        body: the bytes of the body.
        port: the port at which it arrived.
    """

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    port: int = 0

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter; the case of its name does not matter."""
        for known, values in self.query.items():
            if known.lower() == name.lower() and values:
                return values[0]
        return default

    def listed(self, name: str, *, separators: str = ",") -> list[str]:
        """Return all values of a query parameter; the case of its name does not matter.

        A client may send a list as one value with separators, as several values, or as both.

        Args:
            name: the name of the parameter.
            separators: the characters that separate values.
        """
        return [
            value
            for known, values in self.query.items()
            if known.lower() == name.lower()
            for text in values
            for part in re.split(f"[{separators}]", text)
            if (value := part.strip())
        ]

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """A response.

    Attributes:
        status: the HTTP status.
        headers: the headers in addition to ``Content-Length``.
        body: the bytes of the body.
        listener: set if the connection stays open for events: as a WebSocket if the status is 101, else as a
            stream of server-sent events.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    listener: Listener | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a JSON response."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return cls(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)

    @classmethod
    def text(cls, text: str, status: int = 200, kind: str = "text/plain") -> Response:
        """Return a text response."""
        return cls(status, {"Content-Type": f"{kind}; charset=utf-8"}, text.encode())
