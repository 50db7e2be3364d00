"""What a fake server is asked and what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came.

    Attributes:
        method: ``GET``, ``POST``, …
        path: decoded, below the server's base path.
        query: the values of each name, decoded.
        headers: by their names in lower case.
        body: as it came.
    """

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a name of the query, whose case does not matter."""
        for known, values in self.query.items():
            if known.lower() == name.lower() and values:
                return values[0]
        return default

    def listed(self, name: str, *, separators: str = ",") -> list[str]:
        """Return all values of a name of the query, whose case does not matter.

        A list may come as one value with separators, as several values, or as both.

        Args:
            name: of the parameter.
            separators: the characters that stand between values.
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
    """An answer.

    Attributes:
        status: of HTTP.
        headers: in addition to ``Content-Length``.
        body: as it is sent.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return an answer of JSON."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return cls(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)

    @classmethod
    def text(cls, text: str, status: int = 200, kind: str = "text/plain") -> Response:
        """Return an answer of text."""
        return cls(status, {"Content-Type": f"{kind}; charset=utf-8"}, text.encode())
