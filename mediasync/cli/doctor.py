"""``mediasync doctor``."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.text import Text

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, faint, indented, plain
from mediasync.cli.options import OF_EVERY_COMMAND, SourceOption, with_options
from mediasync.findings import CastFinding, DoctorReport, Severity
from mediasync.library.doctor_checks import chosen_checks
from mediasync.wording import counted, short

CheckOption = Annotated[
    list[str] | None,
    typer.Option(
        "--check", metavar="NAME", help="Only this check. Repeat it for several.", show_default=False
    ),
]
SkipOption = Annotated[
    list[str] | None,
    typer.Option(
        "--skip", metavar="NAME", help="Leave this check out. Repeat it for several.", show_default=False
    ),
]
ExamplesOption = Annotated[
    int,
    typer.Option(
        "--limit", metavar="N", min=1, max=2**62, help="Show at most this many examples of each finding."
    ),
]
FailOption = Annotated[
    Severity | None,
    typer.Option(
        "--fail-on", help="Exit with 1 if a finding is as bad as this, or worse.", show_default=False
    ),
]

_STYLES: Final = {Severity.INFO: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}


@with_options(*OF_EVERY_COMMAND)
def doctor(
    context: CommandContext,
    check: CheckOption = None,
    skip: SkipOption = None,
    source: SourceOption = None,
    limit: ExamplesOption = 5,
    fail_on: FailOption = None,
) -> int:
    """Examine the cast data: what is wrong with it, with examples, and what to do.

    Only reads the database. It looks for items without cast or crew, casts that a server cut, misspelt and
    split names, files that could not be read, items that two sources disagree on, and more. mediasync check
    looks after the database itself: its storage, and that its content is consistent.

    [bold]Severities[/bold]
      info     may be right as it is
      warning  is probably wrong
      error    is certainly wrong

    [bold]Examples[/bold]
      mediasync doctor
      mediasync doctor --source plex-home --skip no-picture --limit 20
      mediasync doctor --check cast-cap --fail-on warning --json

    [bold]Exit codes[/bold]
      0  examined
      1  a finding is as bad as --fail-on says, or there is no such source
      2  wrong usage or configuration, or there is no such check
      4  there is no database, or it failed
    """
    return context.run(_doctor(context, check or None, skip or [], source, limit, fail_on))


async def _doctor(
    context: CommandContext,
    checks: list[str] | None,
    skip: list[str],
    source_id: str | None,
    limit: int,
    fail_on: Severity | None,
) -> int:
    out = context.out
    chosen = tuple(each.name for each in chosen_checks(checks, skip))
    findings: list[CastFinding] = []
    async with context.open_to_read() as ms:
        if source_id is not None:
            await require_source(ms, source_id)
        found = ms.library.iter_findings(checks=checks, skip=skip, source_id=source_id, examples=limit)
        async for finding in found:
            findings.append(finding)
            if not out.as_json:
                _show(context, finding)
    report = DoctorReport(chosen, tuple(findings))
    if out.as_json:
        out.dump({**report.as_dict(), "worst": report.worst})
    else:
        summary = f"{counted(len(findings), 'finding')} of {counted(len(chosen), 'check')}"
        out.print(plain(f"{summary}." if findings else f"{summary}: nothing seems to be wrong."))
    failed = fail_on is not None and report.worst is not None and report.worst.reaches(fail_on)
    return ExitCode.INCOMPLETE if failed else ExitCode.OK


def _show(context: CommandContext, finding: CastFinding) -> None:
    out = context.out
    out.print(
        Text.assemble(
            (finding.severity, _STYLES[finding.severity]),
            f"  {finding.check}, {short(finding.source_id)}: {counted(finding.count, 'case')}",
        )
    )
    out.print(indented(plain(finding.title)))
    out.print(columns([_row(example.id, example.text) for example in finding.examples], indent=4))
    if left := finding.count - len(finding.examples):
        out.print(indented(faint(f"and {left:,} more: --limit {2 * len(finding.examples)} shows more"), 4))
    out.print(indented(plain(f"What to do: {finding.advice}")))
    out.flush()


def _row(example_id: str, text: str) -> tuple[str, str]:
    return (short(text), "" if text.startswith(example_id) else example_id)
