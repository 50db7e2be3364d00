"""The users of a fake Jellyfin, and how they sign in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mediasync.testing.jellyfin_rows import digest
from mediasync.testing.messages import Request, Response

_TOKEN: Final = re.compile(r'\bToken="([^"]*)"')
_NAMED: Final = re.compile(r'\b(Client|Device|DeviceId|Version)="([^"]*)"')
_ERROR: Final = Response.text("Error processing request.", 400)
_REFUSED: Final = Response.text("Error processing request.", 401)


class JellyfinUsers:
    """Users, their tokens, and Quick Connect.

    Args:
        users: the passwords by user name; the first user is an administrator.
        api_key: an API key that is accepted.
        server_id: the server's own id.
        old: whether tokens may be sent in the ways that 10.11 accepts.

    Attributes:
        users, tokens: see `FakeJellyfin`.
        quick_connect: whether Quick Connect is switched on.
    """

    def __init__(self, users: dict[str, str], api_key: str, server_id: str, *, old: bool) -> None:
        self.users = users
        self.tokens: dict[str, str] = {api_key: ""}
        self.quick_connect = True
        self._server_id = server_id
        self._old = old
        self._asking: dict[str, dict[str, Any]] = {}
        self._approved: dict[str, str] = {}

    def token_of(self, request: Request) -> str | None:
        """Return the token of a request."""
        headers = request.headers
        if match := _TOKEN.search(headers.get("authorization", "")):
            return match[1]
        if key := next((values[0] for name, values in request.query.items() if name == "ApiKey"), None):
            return key
        if self._old:
            return (
                headers.get("x-emby-token")
                or headers.get("x-mediabrowser-token")
                or request.first("api_key")
                or None
            )
        return None

    def find(self, user_id: str) -> str | None:
        """Return the name of the user with this id; ``me`` is not an id."""
        wanted = user_id.replace("-", "").lower()
        return next((name for name in self.users if digest("user", name) == wanted), None)

    def record(self, name: str) -> dict[str, Any]:
        """Return a user as the server answers it."""
        return {
            "Name": name,
            "ServerId": self._server_id,
            "Id": digest("user", name),
            "HasPassword": bool(self.users[name]),
            "HasConfiguredPassword": bool(self.users[name]),
            "Policy": {"IsAdministrator": name == next(iter(self.users)), "EnableAllFolders": True},
        }

    def records(self) -> Response:
        """Return all users."""
        return Response.json([self.record(name) for name in self.users])

    def sign_in(self, request: Request) -> Response:
        """Answer a sign-in by name and password with a token."""
        given = _fields(request)
        name = str(given.get("username", ""))
        if name not in self.users or self.users[name] != given.get("pw"):
            return _REFUSED
        return self._session(name)

    def initiate(self, request: Request) -> Response:
        """Begin a Quick Connect: answer with a code that a user can approve."""
        if not self.quick_connect:
            return Response(401)
        number = len(self._asking) + 1
        secret = digest("quick connect", number)
        names = dict(_NAMED.findall(request.headers.get("authorization", "")))
        self._asking[secret] = {
            "Authenticated": False,
            "Secret": secret,
            "Code": f"{number:06}",
            "DeviceId": names.get("DeviceId", ""),
            "DeviceName": names.get("Device", ""),
            "AppName": names.get("Client", ""),
            "AppVersion": names.get("Version", ""),
        }
        return Response.json(self._asking[secret])

    def approve(self, code: str, name: str) -> bool:
        """Approve a Quick Connect code as a user; return whether the code exists.

        Args:
            code: the code that `initiate` answered.
            name: the name of the user.
        """
        secret = next((secret for secret, asking in self._asking.items() if asking["Code"] == code), None)
        if secret is None:
            return False
        self._asking[secret]["Authenticated"] = True
        self._approved[secret] = name
        return True

    def state(self, secret: str) -> Response:
        """Answer whether a Quick Connect has been approved."""
        asking = self._asking.get(secret)
        return Response.json(asking) if asking else Response(404)

    def sign_in_quickly(self, request: Request) -> Response:
        """Answer the secret of an approved Quick Connect with a token."""
        secret = str(_fields(request).get("secret", ""))
        name = self._approved.pop(secret, None)
        if name is None:
            return _REFUSED if secret in self._asking else _ERROR
        return self._session(name)

    def _session(self, name: str) -> Response:
        token = digest("session", name, len(self.tokens))
        self.tokens[token] = name
        return Response.json({"User": self.record(name), "AccessToken": token, "ServerId": self._server_id})


def _fields(request: Request) -> Mapping[str, Any]:
    """Return the fields of the body by their names in lower case, because the server ignores case."""
    given = request.json()
    return {name.lower(): value for name, value in given.items()} if isinstance(given, dict) else {}
