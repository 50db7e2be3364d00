"""``mediasync log``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType

from mediasync.app import MediaSync
from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import NotFound
from mediasync.cli.formatting import moment, parse_duration, short, type_name
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, SourceOption, with_options
from mediasync.errors import UsageError
from mediasync.history import CreditChange, CreditChangeKind, FieldChange, HistoryEntry
from mediasync.vocabulary import CAST_TYPES, ChangeKind, EntityKind, PersonType

_LONGEST_VALUE: Final = 60
_EVERYTHING: Final = 2**62


@with_options(*OF_EVERY_COMMAND)
def log(
    context: CommandContext,
    run: Annotated[
        int | None,
        typer.Option(
            "--run",
            metavar="N",
            min=1,
            max=_EVERYTHING,
            help="Only what this run changed.",
            show_default=False,
        ),
    ] = None,
    source: SourceOption = None,
    item: Annotated[
        str | None, typer.Option("--item", metavar="ID", help="Only this item.", show_default=False)
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", metavar="ID", help="Only this person and the person's credits.", show_default=False
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only changes since then: 1d, 12h; or 2026-01-31.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=1, max=_EVERYTHING, help="Show at most this many changes."),
    ] = 50,
    everything: AllOption = False,
) -> int:
    """Show what changed: items added, changed and removed, and credits added, removed and moved.

    Only reads the database. Without an option it shows what the last run changed. Options are combined.

    [bold]Examples[/bold]
      mediasync log
      mediasync log --run 12
      mediasync log --since 1d --source plex-home
      mediasync log --item "plex-home:603" --json

    [bold]Exit codes[/bold]
      0  shown
      1  there is no such run or source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    wanted = {"run_id": run, "source_id": source, "item_id": item, "person_id": person, "since": _time(since)}
    return context.run(_log(context, wanted, _EVERYTHING if everything else limit))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - parse_duration(text)
        except ValueError as error:
            raise UsageError(f"--since: {error}; or a date, 2026-01-31") from None
    return time if time.tzinfo else time.astimezone()


async def _log(context: CommandContext, wanted: dict[str, Any], limit: int) -> int:
    async with context.open_to_read() as ms:
        if wanted["source_id"] is not None:
            await require_source(ms, wanted["source_id"])
        if not any(wanted.values()):
            newest = await ms.list_runs(limit=1)
            if not newest:
                return _nothing(context, "Nothing was synced yet: mediasync sync nfo:FOLDER")
            wanted["run_id"] = newest[0].id
        elif wanted["run_id"] is not None and await ms.find_run(wanted["run_id"]) is None:
            raise NotFound(f"there is no run {wanted['run_id']}; mediasync runs lists them")
        found = await _take(ms, wanted, limit + 1)
    shown, more = found[:limit], len(found) > limit
    if context.out.as_json:
        context.out.dump({"entries": [_document(entry) for entry in shown], "more": more})
    elif shown:
        context.out.print(*_lines(shown))
        if more:
            context.out.print(
                faint(f"more changes are left out: --limit {2 * limit} shows more, --all shows all")
            )
    else:
        run = wanted["run_id"]
        return _nothing(context, "nothing changed" if run is None else f"run {run} changed nothing")
    return 0


async def _take(ms: MediaSync, wanted: dict[str, Any], number: int) -> list[HistoryEntry]:
    found: list[HistoryEntry] = []
    async with aclosing(ms.history(**wanted)) as entries:
        async for entry in entries:
            found.append(entry)
            if len(found) == number:
                break
    return found


def _nothing(context: CommandContext, text: str) -> int:
    if context.out.as_json:
        context.out.dump({"entries": [], "more": False})
    else:
        context.out.print(plain(text))
    return 0


def _lines(entries: list[HistoryEntry]) -> Iterator[RenderableType]:
    """Yield the entries, below the runs that made them."""
    for run_id, of_run in groupby(entries, key=lambda entry: entry.change.run_id):
        listed = list(of_run)
        what = "Other changes" if run_id is None else f"Run {run_id}"
        yield heading(f"{what}, {moment(listed[0].change.at)}")
        yield columns([(str(entry.change.what), sentence(entry)) for entry in listed], indent=2)


def sentence(entry: HistoryEntry) -> str:
    """Return what an entry changed, in words.

    Example: ``Heat (1995): + Hank Azaria as Alan Marciano; Al Pacino's role 'Vincent' → 'Lt. Hanna'``
    """
    change = entry.change
    name = short(entry.name) if entry.year is None else f"{short(entry.name)} ({entry.year})"
    if change.entity is not EntityKind.ITEM:
        name = f"{change.entity} {name}"
    elif entry.year is None:  # an episode's title alone says little
        name = f"{name} [{short(change.entity_id)}]"
    if change.what is ChangeKind.MERGED:
        return f"{name}: now {change.other_id}"
    parts = [*map(_field, entry.fields), *_credits(entry.credits)]
    return f"{name}: {'; '.join(parts)}" if parts else name


def _field(field: FieldChange) -> str:
    return f"{field.name.replace('_', ' ')} {_value(field.old)} → {_value(field.new)}"


def _value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, str):
        return f"'{short(value) if len(value) <= _LONGEST_VALUE else short(value[:_LONGEST_VALUE]) + '…'}'"
    if isinstance(value, dict):
        return ", ".join(f"{short(key)} {short(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(short(" ".join(map(str, one)) if isinstance(one, list) else one) for one in value)
    return str(value)


def _credits(changes: tuple[CreditChange, ...]) -> Iterator[str]:
    for one in changes:
        if one.what is CreditChangeKind.ROLE:
            yield f"{short(one.name)}'s role {_value(one.old_role)} → {_value(one.role)}"
        elif one.what is CreditChangeKind.MOVED:
            yield f"{short(one.name)} moved"
        else:
            sign = "+" if one.what is CreditChangeKind.ADDED else "−"
            yield f"{sign} {short(one.name)}{_function(one)}"


def _function(one: CreditChange) -> str:
    if PersonType.parse(one.person_type) in CAST_TYPES:
        return f" as {short(one.role)}" if one.role else ""
    return f" ({type_name(one.person_type)})"


def _document(entry: HistoryEntry) -> dict[str, Any]:
    change = entry.change
    return {
        "number": change.number,
        "at": change.at.isoformat() if change.at else None,
        "run_id": change.run_id,
        "reason": change.reason,
        "entity": str(change.entity),
        "id": change.entity_id,
        "what": str(change.what),
        "name": entry.name,
        "year": entry.year,
        "other_id": change.other_id,
        "fields": [asdict(one) for one in entry.fields],
        "credits": [asdict(one) for one in entry.credits],
    }
