"""Faults: what a fake server does instead of answering correctly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mediasync.testing.messages import Request

At = Callable[[Request], bool] | int | None
"""Which requests a fault affects: those that a function accepts, the n-th and later ones, or all."""


@dataclass(slots=True)
class Fault:
    """One kind of fault; make it with one of the functions of this class.

    Attributes:
        kind: the name of the function that made it.
        at: which requests it affects: a function of the request; a number n for the n-th and later requests
            (1 is the first); None for all.
        times: how many requests it affects at most; None for all of them.
        code: the HTTP status of ``status``.
        headers: the headers of the answer of ``status``.
        body: the body of the answer of ``status``.
        seconds: the ``Retry-After`` of ``busy`` and ``limit``; the delay of ``slow`` and ``drip``.
        change: what ``rewrite`` does to the decoded JSON.
        damaged: what ``damage`` does to the bytes of the body.
        keys: the keys whose values ``wrong_types`` changes.
        met: how many requests it has affected so far.

    Example:
        >>> Fault.status(404, at=lambda request: request.path == "/Items").kind
        'status'
    """

    kind: str
    at: At = None
    times: int | None = 1
    code: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    change: Callable[[Any], Any] = lambda value: value
    damaged: Callable[[bytes], bytes] = lambda body: body
    keys: frozenset[str] = frozenset()
    met: int = 0

    @classmethod
    def status(
        cls,
        code: int,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        at: At = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer with an HTTP status."""
        return cls("status", at, times, code=code, headers=headers or {}, body=body)

    @classmethod
    def busy(cls, seconds: float | None = 0, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer 503, as a starting server does, with ``Retry-After`` unless *seconds* is None."""
        return cls("busy", at, times, code=503, headers=_retry_after(seconds))

    @classmethod
    def limit(cls, seconds: float | None = 0, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer 429 (too many requests), with ``Retry-After`` unless *seconds* is None."""
        return cls("limit", at, times, code=429, headers=_retry_after(seconds))

    @classmethod
    def html(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer 200 with an HTML page, as a proxy or a sign-in page in front of the server does."""
        return cls("html", at, times)

    @classmethod
    def truncated(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Send half of the announced body, and close the connection."""
        return cls("truncated", at, times)

    @classmethod
    def cut_json(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Send a complete answer whose body is the first half of the JSON."""
        return cls("cut_json", at, times)

    @classmethod
    def reset(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Abort the connection."""
        return cls("reset", at, times)

    @classmethod
    def hang(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Never answer; wait until the client disconnects."""
        return cls("hang", at, times)

    @classmethod
    def latin1(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Send texts in Latin-1, with bytes that are not valid UTF-8."""
        return cls("latin1", at, times)

    @classmethod
    def wrong_types(cls, *keys: str, at: At = None, times: int | None = 1) -> Fault:
        """Send the values of these keys with a wrong type: a number for a text, a list for an object, …

        Without *keys*, change every value that is neither an object nor a list.
        """
        return cls("wrong_types", at, times, keys=frozenset(keys))

    @classmethod
    def empty(cls, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer 200 with an empty object."""
        return cls("empty", at, times)

    @classmethod
    def rewrite(cls, change: Callable[[Any], Any], *, at: At = None, times: int | None = 1) -> Fault:
        """Decode the JSON of the correct answer, and send the result of *change* instead."""
        return cls("rewrite", at, times, change=change)

    @classmethod
    def damage(cls, change: Callable[[bytes], bytes], *, at: At = None, times: int | None = 1) -> Fault:
        """Send the result of *change* on the bytes of the correct answer's body instead."""
        return cls("damage", at, times, damaged=change)

    @classmethod
    def slow(cls, seconds: float, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer correctly, but only after *seconds*."""
        return cls("slow", at, times, seconds=seconds)

    @classmethod
    def drip(cls, seconds: float, *, at: At = None, times: int | None = 1) -> Fault:
        """Answer correctly, with a pause of *seconds* after each byte of the body."""
        return cls("drip", at, times, seconds=seconds)

    def meets(self, request: Request, number: int) -> bool:
        """Return whether this fault affects the *number*-th request, and count it if so."""
        if self.times is not None and self.met >= self.times:
            return False
        at = self.at
        met = number >= at if isinstance(at, int) else at is None or at(request)
        self.met += met
        return met


def scrambled(value: Any, keys: frozenset[str]) -> Any:
    """Return the JSON value with wrong types; see `Fault.wrong_types`."""
    if isinstance(value, list):
        return [scrambled(entry, keys) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _swapped(inner) if key in keys or not (keys or _holds(inner)) else scrambled(inner, keys)
        for key, inner in value.items()
    }


def accented(value: Any) -> Any:
    """Return the JSON value with a non-ASCII letter appended to every text."""
    if isinstance(value, str):
        return f"{value}é"
    if isinstance(value, list):
        return [accented(entry) for entry in value]
    if isinstance(value, dict):
        return {key: accented(inner) for key, inner in value.items()} or {"é": "é"}
    return value


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _swapped(value: Any) -> Any:
    if isinstance(value, str):
        return 7
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return {"0": value}
    return {"value": value}


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": f"{seconds:g}"}
