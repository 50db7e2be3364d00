"""JSON-RPC with Kodi: single calls, and batches of calls in one request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mediasync.backends.transport import Transport
from mediasync.errors import RequestRefused, SourceUnreadable

PATH: Final = "/jsonrpc"
MOST_BYTES: Final = 60_000
"""The largest body of a request. Kodi answers 413 to a body over 65,536 bytes."""

METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602


class Call(NamedTuple):
    """A call of a method.

    Attributes:
        method: the method's name.
        params: its parameters by name.
    """

    method: str
    params: Mapping[str, Any]


class KodiRefused(RequestRefused):
    """Kodi answered a call with an error.

    Attributes:
        code: the error code of JSON-RPC.
    """

    def __init__(self, source_id: str, reason: str, *, code: int | None) -> None:
        super().__init__(source_id, reason, status=0)
        self.code = code


Result = Mapping[str, Any] | str
"""The result of a call."""


class Rpc:
    """Calls methods of one Kodi.

    Args:
        transport: an open transport.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def source_id(self) -> str:
        """The id of the source, which errors name."""
        return self._transport.source_id

    async def call(self, method: str, **params: Any) -> Result:
        """Call one method and return its result.

        Raises:
            KodiRefused: if Kodi answers with an error.
            SourceUnreadable: if the response is not an answer to the call.
            SourceError: as `Transport.post_json` says.
        """
        answer = await self._transport.post_json(PATH, _body(1, Call(method, params)))
        return self._result(answer, Call(method, params), 1)

    async def call_all(self, calls: Sequence[Call]) -> list[Result | KodiRefused]:
        """Call several methods with as few requests as their size allows, and return their results in order.

        If Kodi answers one of the calls with an error, the error takes the place of its result.

        Raises:
            SourceUnreadable: if the response is not an answer to the calls.
            SourceError: as `Transport.post_json` says.
        """
        results: list[Result | KodiRefused] = []
        for part in _parts(calls):
            bodies = [_body(number, call) for number, call in enumerate(part, 1)]
            answers = await self._transport.post_json(PATH, bodies)
            by_id = {
                answer.get("id"): answer
                for answer in (answers if isinstance(answers, list) else [])
                if isinstance(answer, dict) and isinstance(answer.get("id"), int)
            }
            for number, call in enumerate(part, 1):
                try:
                    results.append(self._result(by_id.get(number), call, number))
                except KodiRefused as refused:
                    results.append(refused)
        return results

    def _result(self, answer: Any, call: Call, number: int) -> Result:
        if isinstance(answer, dict):
            error = answer.get("error")
            if isinstance(error, dict):
                raise KodiRefused(self.source_id, _refusal(call.method, error), code=_code(error.get("code")))
            result = answer.get("result")
            if answer.get("id") == number and isinstance(result, dict | str):
                return result
        raise SourceUnreadable(
            self.source_id,
            f"POST {PATH} {call.method}: the response is not a JSON-RPC answer to it; is this Kodi's own web "
            "server?",
        )


def _body(number: int, call: Call) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": call.method, "params": dict(call.params)}


def _parts(calls: Sequence[Call]) -> list[list[Call]]:
    """Divide *calls* into batches whose bodies are small enough."""
    parts: list[list[Call]] = []
    size = MOST_BYTES
    for call in calls:
        own = len(json.dumps(_body(len(calls), call), ensure_ascii=True)) + 2
        if size + own > MOST_BYTES:
            parts.append([])
            size = 2
        parts[-1].append(call)
        size += own
    return parts


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _refusal(method: str, error: Mapping[str, Any]) -> str:
    """Return Kodi's error in words, with the parameter that it does not accept."""
    words = f"POST {PATH} {method} was answered with error {error.get('code')}: {error.get('message')}"
    details = _details(error.get("data"))
    if details:
        words += f" ({'; '.join(details)})"
    if error.get("code") == METHOD_NOT_FOUND:
        words += ". This Kodi lacks the method: is it an older version?"
    return words


def _details(data: Any) -> list[str]:
    """Return the names and messages in the ``data.stack`` of an error."""
    found: list[str] = []
    while isinstance(data, dict):
        name, message = data.get("name"), data.get("message")
        text = ": ".join(part for part in (name, message) if isinstance(part, str))
        if text:
            found.append(text)
        data = data.get("stack", data.get("property"))
    return found
