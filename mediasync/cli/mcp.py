"""``mediasync mcp``."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from mediasync.app import MediaSync
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.options import OF_EVERY_COMMAND, OF_LONG_COMMANDS, with_options

_READERS: Final = 2


@with_options(*OF_EVERY_COMMAND, *OF_LONG_COMMANDS)
def mcp(context: CommandContext) -> int:
    """Answer an assistant's questions about the mirror, by the Model Context Protocol.

    Only reads the database. An assistant such as Claude Desktop starts this program and speaks with it on
    standard input and output; nothing else is written there. The log goes to standard error. It needs the
    extra mcp.

    [bold]Examples[/bold]
      mediasync mcp --database media.db
      claude mcp add mediasync -- mediasync mcp

    [bold]Exit codes[/bold]
      0  the client is gone, or a signal ended it
      2  wrong usage or configuration, or the extra is not installed
      4  there is no database, or it failed when it was opened
    """
    return context.run(_mcp(context))


async def _mcp(context: CommandContext) -> int:
    from mediasync.integrations.mcp import make_server, serve_stdio

    if sys.stdin is not None and sys.stdin.isatty():
        context.out.note("waiting for messages of an assistant on standard input; Ctrl-C ends it")
    async with MediaSync(context.url(), read_only=True, readers=_READERS) as ms:
        try:
            await serve_stdio(make_server(ms))
        except asyncio.CancelledError:
            return ExitCode.OK
    return ExitCode.OK
