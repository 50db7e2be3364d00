"""``mediasync check``."""

from __future__ import annotations

from rich.text import Text

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, faint, indented, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, with_options
from mediasync.wording import counted

_SHOWN = 20


@with_options(*OF_EVERY_COMMAND)
def check(
    context: CommandContext,
    everything: AllOption = False,
) -> int:
    """Check the database: its storage, and that its content is consistent.

    Only reads the database. It runs SQLite's own integrity check, and checks foreign keys, that each credit
    list is numbered without gaps and duplicates, that its completeness is right, that every value can be
    read, and that none is longer than a save allows. mediasync doctor examines what the sources say.

    [bold]Examples[/bold]
      mediasync check
      mediasync check --database media.db --json

    [bold]Exit codes[/bold]
      0  nothing is wrong
      2  wrong usage or configuration
      4  something is wrong, and is listed; or there is no database, or it failed
    """
    return context.run(_check(context, everything=everything))


async def _check(context: CommandContext, *, everything: bool) -> int:
    async with context.open_to_read() as ms:
        report = await ms.check()
    flaws: dict[str, list[tuple[str, str]]] = {name: [] for name in report.checks}
    for flaw in report.flaws:
        flaws[flaw.check].append((flaw.subject, flaw.reason))
    code = ExitCode.DATABASE if report.flaws else ExitCode.OK
    if context.out.as_json:
        context.out.dump(
            {
                "ok": not report.flaws,
                "checks": [
                    {
                        "name": name,
                        "ok": not found,
                        "flaws": [{"subject": subject, "reason": reason} for subject, reason in found],
                    }
                    for name, found in flaws.items()
                ],
            }
        )
        return code
    for name, found in flaws.items():
        verdict = Text(counted(len(found), "flaw"), "bold red") if found else Text("ok", "green")
        context.out.print(Text.assemble(f"{name}: ", verdict))
        if not found:
            continue
        shown = found if everything else found[:_SHOWN]
        context.out.print(columns(shown, indent=2))
        if left := len(found) - len(shown):
            context.out.print(indented(faint(f"and {left:,} more: --all shows all")))
    if report.flaws:
        context.out.print(
            plain(
                f"{counted(len(report.flaws), 'flaw')} found: keep a copy of the file and sync into a new one"
            )
        )
    else:
        context.out.print(plain("Nothing is wrong."))
    return code
