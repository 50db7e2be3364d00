"""``mediasync serve``."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mediasync.app import MediaSync
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.options import with_options
from mediasync.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from mediasync.web.guard import Guard

DEFAULT_PORT: Final = 8765
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@with_options("database", "file_mode", "config", "debug", "quiet", "verbose", "log_format")
def serve(
    context: CommandContext,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Listen on this address.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Listen on this port; 0 takes a free one.")
    ] = DEFAULT_PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="The file with the password of the site.", show_default=False
        ),
    ] = None,
    no_auth: Annotated[
        bool,
        typer.Option("--no-auth", help="Let everybody who reaches the address read, without a password."),
    ] = False,
) -> int:
    """Serve the mirror as a website, until a signal ends it.

    [bold]Exit codes[/bold]
      0  ended by a signal
      2  wrong usage or configuration
      4  the database failed when it was opened
    """
    guard, link_token = _guard(host, token_file, no_auth=no_auth)
    return context.run(_serve(context, host, port, guard, link_token))


def _guard(host: str, token_file: Path | None, *, no_auth: bool) -> tuple[Guard, str | None]:
    """Return who may do what, and the token that was made because none was given."""
    try:
        from mediasync.web.guard import Access, Guard
    except ImportError as error:
        raise ConfigurationError(
            f"the web app needs more packages ({error}): pip install 'mediasync-mirror[web]'"
        ) from error
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"--token-file {token_file}: cannot be read: {error}") from None
        if not token:
            raise ConfigurationError(f"--token-file {token_file}: is empty: write the password into it")
        everybody = Access.READ if no_auth or host in _LOOPBACK else Access.NONE
        return Guard(token, default=everybody), None
    if host in _LOOPBACK:
        made = secrets.token_urlsafe(18)
        return Guard(made, default=Access.READ), made
    if not no_auth:
        raise UsageError(
            f"--host {host} lets other machines in: give --token-file with a password, or --no-auth to let "
            "everybody read"
        )
    return Guard(), None


async def _serve(context: CommandContext, host: str, port: int, guard: Guard, token: str | None) -> int:
    import uvicorn

    from mediasync.web import create_app, shut_down

    url = context.url()
    context.make_folder(url)
    out = context.out
    async with MediaSync(url, file_mode=context.mode(), keep_removed=context.keep_removed()) as ms:
        app = create_app(ms, sources=context.configuration().sources, guard=guard)

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                await shut_down(app)
                await super().shutdown(sockets)

        server = Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                server_header=False,
                access_log=False,
                lifespan="off",
            )
        )
        shown = f"[{host}]" if ":" in host else host
        out.note(f"listening on http://{shown}:{port}/")
        if token is not None:
            out.note(f"to change things, sign in with the token {token}")
        await server.serve()
    return ExitCode.OK
