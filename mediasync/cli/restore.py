"""``mediasync restore``."""

from __future__ import annotations

from typing import Annotated

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, plain
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.errors import UnknownItem
from mediasync.wording import counted


@with_options(*OF_EVERY_COMMAND)
def restore(
    context: CommandContext,
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="The ids of removed items, as mediasync removed lists them."),
    ],
) -> int:
    """Bring back removed items with their cast and crew.

    The show and the season of an episode come back too, and the seasons and episodes that were removed
    together with a show. A later sync that finds that the source does not have them removes them again.

    [bold]Examples[/bold]
      mediasync restore plex-home:603
      mediasync restore films:"movies/Heat (1995)" --json

    [bold]Exit codes[/bold]
      0  they are back
      1  one of them is not a removed item; nothing was brought back
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    return context.run(_restore(context, ids))


async def _restore(context: CommandContext, ids: list[str]) -> int:
    async with context.open_to_write() as ms:
        try:
            restored = await ms.restore(ids)
        except UnknownItem as error:
            raise NotFound(str(error)) from error
    if context.out.as_json:
        context.out.dump({"restored": restored})
    else:
        are = "is" if len(restored) == 1 else "are"
        context.out.print(plain(f"{counted(len(restored), 'item')} {are} back:"))
        context.out.print(columns([(item_id,) for item_id in restored], indent=2))
    return 0
