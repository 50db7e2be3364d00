"""A fake of Plex's own service, where devices are approved and get their tokens."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from mediasync.testing.messages import Request, Response
from mediasync.testing.plex import FakePlex
from mediasync.testing.server import FakeServer

__all__ = ["FakePlexTv"]

_EXPIRED: Final = 498
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(slots=True)
class _Pin:
    number: int
    code: str
    client_id: str
    jwk: Mapping[str, Any] | None
    token: str | None = None


class FakePlexTv(FakeServer):
    """Plays ``clients.plex.tv`` and ``plex.tv``: codes, keys of devices, tokens, the servers of an account.

    It was built from Plex's documentation and from python-plexapi. It checks the signatures of devices, for
    which it needs the extra ``plex``. An unknown path is answered with 404.

    Args:
        servers: the servers of the account. They accept the tokens that it gives.
        is_owner: whether the account owns them.
        pin_seconds: how long a code can be approved, as it says.
        token_seconds: how long the token of a device with a key is valid.
        clock: gives the time.
        tls: the TLS context; None for plain HTTP.

    Attributes:
        approves_at_once: whether each code is approved when it is requested.
        servers: the servers, as given.

    Example::

        async with FakePlex(make_catalogue(films=3), token="t") as server, FakePlexTv([server]) as plex_tv:
            os.environ["MEDIASYNC_PLEX_TV"] = plex_tv.url
    """

    def __init__(
        self,
        servers: Iterable[FakePlex] = (),
        *,
        is_owner: bool = True,
        pin_seconds: int = 900,
        token_seconds: float = 7 * 86_400,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self.servers = list(servers)
        self.approves_at_once = False
        self._is_owner = is_owner
        self._pin_seconds = pin_seconds
        self._token_seconds = token_seconds
        self._clock = clock
        self._pins: dict[int, _Pin] = {}
        self._devices: dict[str, Mapping[str, Any]] = {}
        self._nonces: set[str] = set()
        self._tokens: set[str] = set()
        self._count = 0

    @property
    def codes(self) -> list[str]:
        """The codes that were requested and have not expired, in order."""
        return [pin.code for pin in self._pins.values()]

    def approve(self, code: str) -> None:
        """Approve a code as the user of the account.

        Raises:
            ValueError: if there is no such code.
        """
        pin = next((pin for pin in self._pins.values() if pin.code == code), None)
        if pin is None:
            raise ValueError(f"there is no code {code!r}")
        if pin.jwk is not None:
            self._devices[pin.client_id] = pin.jwk
        pin.token = self._give(pin.client_id, lasting=pin.jwk is None)

    def expire_codes(self) -> None:
        """Let all codes expire that were requested so far."""
        self._pins.clear()

    def revoke(self) -> None:
        """Sign out all devices: their keys and tokens are not accepted any more."""
        self._devices.clear()
        self.expire_tokens()

    def expire_tokens(self) -> None:
        """Let all tokens end that were given so far."""
        for server in self.servers:
            server.other_tokens -= self._tokens
        self._tokens.clear()

    async def handle(self, request: Request) -> Response:
        """Answer a request; see `FakeServer`."""
        client_id = request.headers.get("x-plex-client-identifier", "")
        if not client_id:
            return _refusal(400, 1000, "X-Plex-Client-Identifier is missing")
        match [request.method, *request.path.strip("/").split("/")]:
            case ["POST", "api", "v2", "pins"]:
                return self._request_pin(request.json(), client_id)
            case ["GET", "api", "v2", "pins", number]:
                return self._state(number, request.first("deviceJWT"), client_id)
            case ["GET", "api", "v2", "auth", "nonce"]:
                return Response.json({"nonce": self._make_nonce()})
            case ["POST", "api", "v2", "auth", "token"]:
                return self._exchange(str(request.json().get("jwt", "")), client_id)
            case ["GET", "api", "v2", "resources"]:
                return self._resources(request.headers.get("x-plex-token", ""))
        return _refusal(404, 1020, f"this fake does not know {request.path}")

    def _request_pin(self, body: Mapping[str, Any], client_id: str) -> Response:
        self._count += 1
        jwk = body.get("jwk")
        letters = "".join(
            _LETTERS[self._count // len(_LETTERS) ** place % len(_LETTERS)] for place in range(4)
        )
        code = f"{letters.lower()}-long-code" if body.get("strong") else letters
        pin = self._pins[self._count] = _Pin(self._count, code, client_id, jwk)
        if self.approves_at_once:
            self.approve(code)
        return Response.json(self._record(pin, None), 201)

    def _state(self, number: str, signed: str, client_id: str) -> Response:
        pin = self._pins.get(int(number)) if number.isdigit() else None
        if pin is None or pin.client_id != client_id:
            return _refusal(404, 1020, "Code not found or expired")
        if pin.jwk is not None and (refusal := self._refuse(signed, client_id, pin.jwk)):
            return refusal
        return Response.json(self._record(pin, pin.token))

    def _record(self, pin: _Pin, token: str | None) -> dict[str, Any]:
        return {
            "id": pin.number,
            "code": pin.code,
            "clientIdentifier": pin.client_id,
            "expiresIn": self._pin_seconds,
            "authToken": token,
        }

    def _exchange(self, signed: str, client_id: str) -> Response:
        jwk = self._devices.get(client_id)
        if jwk is None:
            return _refusal(401, 1001, "unknown device")
        if refusal := self._refuse(signed, client_id, jwk, takes_nonce=True):
            return refusal
        return Response.json({"auth_token": self._give(client_id, lasting=False)})

    def _refuse(
        self, signed: str, client_id: str, jwk: Mapping[str, Any], *, takes_nonce: bool = False
    ) -> Response | None:
        """Return the refusal of a device's proof; None if it is valid."""
        import jwt

        try:
            claims = jwt.decode(
                signed,
                jwt.PyJWK.from_dict(dict(jwk)).key,
                algorithms=["EdDSA"],
                audience="plex.tv",
                issuer=client_id,
                options={"require": ["exp", "iat"], "verify_iat": False, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            return _refusal(401, 1001, f"invalid JWT: {error}")
        if claims.get("nonce") not in self._nonces or claims["exp"] <= self._clock().timestamp():
            return _refusal(_EXPIRED, 1005, "the JWT or its nonce has expired")
        if takes_nonce:
            self._nonces.discard(claims["nonce"])
        return None

    def _resources(self, token: str) -> Response:
        if token not in self._tokens:
            return _refusal(401, 1001, "invalid token")
        return Response.json(
            [{"name": "A phone", "provides": "client,player", "connections": []}]
            + [self._resource(server) for server in self.servers]
        )

    def _resource(self, server: FakePlex) -> dict[str, Any]:
        parts = urlsplit(server.url)
        connection = {
            "protocol": parts.scheme,
            "address": parts.hostname,
            "port": parts.port,
            "uri": server.url,
            "local": True,
            "relay": False,
        }
        return {
            "name": server.name,
            "product": "Plex Media Server",
            "provides": "server",
            "clientIdentifier": server.machine_id,
            "owned": self._is_owner,
            "accessToken": server.token,
            "connections": [connection],
        }

    def _make_nonce(self) -> str:
        self._count += 1
        nonce = f"nonce-{self._count}"
        self._nonces.add(nonce)
        return nonce

    def _give(self, client_id: str, *, lasting: bool) -> str:
        self._count += 1
        if lasting:
            token = f"plex-token-{self._count}"
        else:
            import jwt

            end = self._clock() + timedelta(seconds=self._token_seconds)
            claims = {
                "iss": "plex.tv",
                "aud": client_id,
                "exp": int(end.timestamp()),
                "jti": str(self._count),
            }
            token = jwt.encode(claims, "the fake's own secret, at least 32 bytes", algorithm="HS256")
        self._tokens.add(token)
        for server in self.servers:
            server.other_tokens.add(token)
        return token


def _refusal(status: int, code: int, message: str) -> Response:
    return Response.json({"errors": [{"code": code, "message": message, "status": status}]}, status)
