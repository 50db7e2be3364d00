"""``mediasync diff``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from mediasync.aio import take
from mediasync.change_words import details, sentence
from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import (
    EVERYTHING,
    OF_EVERY_COMMAND,
    AllOption,
    ChangesOption,
    SourceOption,
    with_options,
)
from mediasync.cli.points import parse_point, point_in_words, require_run
from mediasync.rewinding import AsOf

_POINT: Final = "A run, for what was shown when it had ended; or a time: 1d, 2026-01-31."


@with_options(*OF_EVERY_COMMAND)
def diff(
    context: CommandContext,
    first: Annotated[str, typer.Argument(metavar="RUN|TIME", help=_POINT, show_default=False)],
    second: Annotated[str, typer.Argument(metavar="RUN|TIME", help=_POINT, show_default=False)],
    source: SourceOption = None,
    limit: ChangesOption = 50,
    everything: AllOption = False,
) -> int:
    """Show the net difference between what was shown at two points, each a run or a time.

    Only reads the database. What changed and changed back between the two is left out. mediasync log shows
    every single change.

    [bold]Examples[/bold]
      mediasync diff 11 12
      mediasync diff 1d 0d
      mediasync diff 2026-01-01 2026-02-01 --source plex-home --json

    [bold]Exit codes[/bold]
      0  shown
      1  there is no such run or source
      2  wrong usage or configuration, or the changes of then are no longer kept
      4  there is no database, or it failed
    """
    points = parse_point(first, "the first point"), parse_point(second, "the second point")
    return context.run(_diff(context, points, source, EVERYTHING if everything else limit))


async def _diff(context: CommandContext, points: tuple[AsOf, AsOf], source: str | None, limit: int) -> int:
    async with context.open_to_read() as ms:
        if source is not None:
            await require_source(ms, source)
        for point in points:
            await require_run(ms, point)
        found = await take(ms.diff(*points, source_id=source), limit + 1)
    shown, more = found[:limit], len(found) > limit
    if context.out.as_json:
        context.out.dump({"differences": [details(one) for one in shown], "more": more})
    elif shown:
        first, second = map(point_in_words, points)
        context.out.print(
            heading(f"From {first} to {second}"),
            columns([(str(one.what), sentence(one)) for one in shown], indent=2),
        )
        if more:
            context.out.print(
                faint(f"more differences are left out: --limit {2 * limit} shows more, --all shows all")
            )
    else:
        context.out.print(plain("nothing differs"))
    return 0
