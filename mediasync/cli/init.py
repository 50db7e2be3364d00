"""``mediasync init``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.cli.questions import Questions
from mediasync.cli.set_up import Added, Given, Kind, SetUp, SignIn, run_step
from mediasync.cli.sync import sync_named
from mediasync.discovery import discover_servers
from mediasync.errors import UsageError


@with_options(*OF_EVERY_COMMAND)
def init(
    context: CommandContext,
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--kind", help="The kind of source. Without it, the server at --url says it.", show_default=False
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="ADDRESS",
            help="The address of the server: nas, nas:8096, https://media.example/jellyfin. The usual ports "
            "are tried if it has none.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="PATH", help="The folder of NFO files.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="ID",
            help="The id of the source. By default it is made from the server's name.",
            show_default=False,
        ),
    ] = None,
    sign_in: Annotated[
        SignIn | None,
        typer.Option(
            "--sign-in",
            help="How to sign in. Plex: key, pin or token. Jellyfin: quick-connect, password or token. Emby: "
            "password or token. Kodi: password.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="The user to sign in as.", show_default=False)
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="A file that holds the user's password.",
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="A file that holds a token or API key.", show_default=False
        ),
    ] = None,
    library: Annotated[
        list[str] | None,
        typer.Option(
            "--library",
            metavar="TITLE|ID",
            help="Include only this library; may be repeated. By default all are.",
            show_default=False,
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            help="The certificate of the authority that signed the server's, or the server's own if it is "
            "self-signed.",
            show_default=False,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="The time zone of Kodi's clock: Europe/Berlin.",
            show_default=False,
        ),
    ] = None,
    discover: Annotated[
        bool,
        typer.Option("--discover", help="Look for servers on the local network, by asking all its machines."),
    ] = False,
    replace_known: Annotated[
        bool, typer.Option("--replace", help="Give an existing source of this id the new settings.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Ask nothing: what no option says has its default, or is an error."),
    ] = False,
    then_sync: Annotated[
        bool | None,
        typer.Option("--sync/--no-sync", help="Whether to sync the source afterwards.", show_default=False),
    ] = None,
) -> int:
    """Set up a source: find it, sign in, and write it into mediasync.toml.

    Asks for what no option says: the kind of source, its address, how to sign in, and which libraries to
    include. The source is tried before anything is written. A token, password or key is written into a file
    of its own beside mediasync.toml, which only you can read; what you type is not shown. An existing
    mediasync.toml keeps its comments, its order and its other sources.

    Without a terminal, or with --yes, options give all answers. A password or token is read from the file
    that --password-file or --token-file names.

    Nothing is sent to other machines than the address that you give, and for Plex to plex.tv, unless you
    ask to look for servers. With --discover and without a terminal, it only lists them.

    [bold]Examples[/bold]
      mediasync init
      mediasync init --kind jellyfin --url nas --user anna --password-file pw.txt --yes
      mediasync init --kind plex --sign-in pin --name home --yes
      mediasync init --folder /media/films --yes --sync
      mediasync init --discover --yes --json

    [bold]Exit codes[/bold]
      0  the source is set up; with --sync, also synced
      1  --discover found no server
      2  wrong usage or configuration
      3  the server could not be reached, or refused access; or a code expired
      129, 130, 143  interrupted; nothing was written that is not complete
    With --sync, the exit codes of mediasync sync as well.
    """
    if then_sync and context.out.as_json:
        raise UsageError("--sync and --json exclude each other: run mediasync sync --json afterwards")
    given = Given(
        kind=kind,
        url=url,
        folder=folder,
        name=name,
        sign_in=sign_in,
        user=user,
        password_file=password_file,
        token_file=token_file,
        libraries=tuple(library or ()),
        ca_file=ca_file,
        timezone=timezone,
        discover=discover,
        replace=replace_known,
    )
    may_ask = not yes and not context.out.as_json and sys.stdin is not None and sys.stdin.isatty()
    ask = Questions(context.out, may_ask=may_ask)
    if discover and not may_ask:
        return _list_discovered(context)
    added = _set_up_sources(context, given, ask)
    _report(context, added)
    if then_sync is None:
        then_sync = ask.may_ask and ask.yes("Sync now?", default=True)
    if not then_sync:
        if not context.out.as_json:
            context.out.print(faint(f"Next: mediasync sync {' '.join(one.id for one in added)}"))
        return ExitCode.OK
    return sync_named(context.reading(added[-1].written.configuration), [one.id for one in added])


def _list_discovered(context: CommandContext) -> int:
    found = run_step(context, discover_servers())
    if context.out.as_json:
        servers = [{"kind": one.kind, "url": one.url, "name": one.name} for one in found]
        context.out.dump({"discovered": servers})
    elif found:
        rows = [(one.kind, one.url, one.name) for one in found]
        context.out.print(columns([tuple(map(heading, ("kind", "url", "name"))), *rows]))
    else:
        context.out.print(plain("No server answered."))
    return ExitCode.OK if found else ExitCode.INCOMPLETE


def _set_up_sources(context: CommandContext, given: Given, ask: Questions) -> list[Added]:
    """Set up one source; and more, if somebody wants to."""
    added = [SetUp(context, given, ask).run()]
    while ask.may_ask and ask.yes("Add another source?", default=False):
        ask.say()
        added.append(SetUp(context, Given(), ask).run())
    return added


def _report(context: CommandContext, added: Sequence[Added]) -> None:
    if context.out.as_json:
        [one] = added
        context.out.dump(_document(one))
        return
    for one in added:
        rows = [
            ("Source", f"{one.id} ({one.plan.kind})"),
            ("Address", one.plan.url or str(one.plan.folder)),
            ("Libraries", ", ".join(library.title for library in one.included) or "none"),
            *(("Secret", f"{file} (only you can read it)") for file in one.written.secrets),
        ]
        context.out.print(columns(rows))
    context.out.print(plain(f"Written to {added[-1].written.configuration}"))


def _document(added: Added) -> dict[str, Any]:
    included = {library.id for library in added.included}
    return {
        "configuration": str(added.written.configuration),
        "id": added.id,
        "kind": added.plan.kind,
        "url": added.plan.url,
        "folder": None if added.plan.folder is None else str(added.plan.folder),
        "name": added.trial.name,
        "libraries": [
            {"id": one.id, "title": one.title, "kind": one.kind, "included": one.id in included}
            for one in added.trial.libraries
        ],
        "secrets": [str(file) for file in added.written.secrets],
    }
