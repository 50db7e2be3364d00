"""``mediasync removed``."""

from __future__ import annotations

import shlex

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, LimitOption, SourceOption, with_options
from mediasync.models import RemovedItem
from mediasync.wording import counted, moment, removed_title

_EVERYTHING = 2**62


@with_options(*OF_EVERY_COMMAND)
def removed(
    context: CommandContext,
    source: SourceOption = None,
    limit: LimitOption = 50,
    everything: AllOption = False,
) -> int:
    """List the items that their source no longer has, since when, and which run found it out.

    Only reads the database. Such items are kept for 7 days, with everything that is known of them, and come
    back by themselves if their source has them again. After that a sync deletes them.

    [bold]Examples[/bold]
      mediasync removed
      mediasync removed --source plex-home --all
      mediasync restore plex-home:603

    [bold]Exit codes[/bold]
      0  listed, or nothing is removed
      1  there is no such source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    return context.run(_removed(context, source, _EVERYTHING if everything else limit))


async def _removed(context: CommandContext, source_id: str | None, limit: int) -> int:
    async with context.open_to_read() as ms:
        if source_id is not None:
            await require_source(ms, source_id)
        found = await ms.list_removed(source_id, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if context.out.as_json:
        context.out.dump({"items": [item.model_dump(mode="json") for item in shown], "more": more})
    elif shown:
        titles = ("item", "id", "credits", "missing since", "run")
        context.out.print(columns([tuple(map(heading, titles)), *map(_row, shown)], right=(2, 4)))
        if more:
            context.out.print(faint(f"more are left out: --limit {2 * limit} shows more, --all shows all"))
        context.out.print(faint(f"mediasync restore {shlex.quote(shown[0].id)} brings one back"))
    else:
        context.out.print(plain("Nothing is removed."))
    return 0


def _row(item: RemovedItem) -> tuple[str, ...]:
    run = "-" if item.run_id is None else str(item.run_id)
    return (removed_title(item), item.id, f"{item.credits:,}", moment(item.missing_since), run)


def counts_of(items: int, people: int) -> str:
    """Return numbers of items and people in words."""
    return f"{counted(items, 'item')} and {counted(people, 'person', 'people')}"
