"""Which names a browser may call the server by.

A page of another site can give its own name the address of this machine, and then read our pages as if they
were its own (DNS rebinding). The ``Host`` header shows that name. Addresses need no check: nobody can give
another address to an address. Webhooks need none either: they show a secret that no page knows, and they come
from other machines, which may call this one by any name.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mediasync.display import safe
from mediasync.web.scopes import path_in_app

_OF_THIS_MACHINE: Final = ("localhost", "*.localhost")


class HostCheck:
    """Refuses requests to a host of another name, with status 421.

    Args:
        app: the app that answers.
        hosts: the names besides ``localhost``; ``*.example.org`` stands for any name below it.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        names = {name.lower().rstrip(".") for name in (*_OF_THIS_MACHINE, *hosts)}
        self._names = {name for name in names if not name.startswith("*.")}
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        name = host_name(Headers(scope=scope).get("host", ""))
        if (
            path_in_app(scope).startswith("/hooks/")
            or name in self._names
            or name.endswith(self._endings)
            or _is_address(name)
        ):
            await self._app(scope, receive, send)
            return
        flaw = f"This server does not go by the name {safe(name, 100)!r}."
        text = f"{flaw} If it should, start it with mediasync serve --hosts NAME.\n"
        await PlainTextResponse(text, 421)(scope, receive, send)


def host_name(host: str) -> str:
    """Return the name or the address in a ``Host`` header, without its port.

    Example:
        >>> host_name("[::1]:8765"), host_name("NAS.local.:80")
        ('::1', 'nas.local')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
