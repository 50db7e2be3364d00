"""``mediasync serve``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediasync.aio import finish
from mediasync.app import SOURCES_AT_ONCE, MediaSync
from mediasync.cli.affinity import one_core_left_free
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.jobs import Job, jobs_of
from mediasync.cli.location import database_name
from mediasync.cli.notices import find_notifier
from mediasync.cli.options import OF_LONG_COMMANDS, with_options
from mediasync.cli.sync_reports import SyncReports
from mediasync.cli.watch import (
    DEFAULT_INTERVAL,
    EveryOption,
    NoEventsOption,
    NotifyOnOption,
    NotifyOption,
    SourcesArgument,
    check_interval,
)
from mediasync.errors import ConfigurationError, UsageError
from mediasync.settings.distribution import install_command
from mediasync.settings.web import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    WebSettings,
    check_host_name,
    check_proxy,
    check_root_path,
    find_web_token,
)
from mediasync.syncing.handles import EventQueue, cancel_all

if TYPE_CHECKING:
    import socket

    from mediasync.notifying import Notifier
    from mediasync.web.guard import Guard
    from mediasync.web.server import WebServer
    from mediasync.web.site import Site


@with_options("database", "file_mode", "config", "as_json", "debug", *OF_LONG_COMMANDS)
def serve(
    context: CommandContext,
    sources: SourcesArgument = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help=f"Listen on this address. The default is {DEFAULT_HOST}, which only this machine reaches.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            help=f"Listen on this port; 0 takes a free one. The default is {DEFAULT_PORT}.",
            show_default=False,
        ),
    ] = None,
    uds: Annotated[
        str | None,
        typer.Option(
            "--uds",
            metavar="FILE",
            help="Listen on this Unix socket, for a proxy on this machine.",
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="The file with the password of the site. It overrides MEDIASYNC_WEB_TOKEN, which overrides "
            "mediasync.toml.",
            show_default=False,
        ),
    ] = None,
    no_auth: Annotated[
        bool,
        typer.Option(
            "--no-auth",
            help="Let everybody who reaches the address read, without a password.",
        ),
    ] = False,
    root_path: Annotated[
        str | None,
        typer.Option(
            "--root-path",
            metavar="PATH",
            help="The path below which a proxy shows the site: /media.",
            show_default=False,
        ),
    ] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trust-proxy",
            metavar="ADDRESS",
            help="Believe the X-Forwarded headers of a proxy at this address or in this network; repeat it.",
            show_default=False,
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--hosts",
            metavar="NAME",
            help="Browsers may call the site by this name; repeat it. Addresses, localhost and the name of "
            "this machine need not be named.",
            show_default=False,
        ),
    ] = None,
    no_watch: Annotated[
        bool, typer.Option("--no-watch", help="Sync only when somebody asks for it on a page.")
    ] = False,
    no_events: NoEventsOption = False,
    every: EveryOption = DEFAULT_INTERVAL,
    notify: NotifyOption = None,
    notify_on: NotifyOnOption = None,
    at_once: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Sync at most this many sources at once on schedules."
        ),
    ] = SOURCES_AT_ONCE,
) -> int:
    """Serve the mirror as a website, and keep it in sync, until a signal ends it.

    Only this machine reaches the site, unless [bold]--host[/bold] says otherwise. Everybody who reaches it
    may then read, and whoever signs in with the password may sync, restore and undo. Without a password, one
    is made and shown when the server starts. If other machines reach the site, reading needs the password as
    well, or --no-auth. The table [bold]web[/bold] of mediasync.toml holds the same settings.

    Sockets that systemd has opened for it (LISTEN_FDS) are used instead of an address.

    Sources are synced on their schedules and on events, as mediasync watch does it. Each sync that ends is
    one line on standard output; with --json it is one JSON object. Webhooks are taken at /hooks/SOURCE, if
    the source has a [bold]hook_secret[/bold].

    [bold]Examples[/bold]
      mediasync serve
      mediasync serve films=nfo:/media/films --every 1h
      mediasync serve --host 0.0.0.0 --token-file /etc/mediasync/web-token --hosts media.example.org

    [bold]Exit codes[/bold]
      0  ended by SIGINT, SIGTERM or SIGHUP; a sync under way is cancelled, what was saved stays
      2  wrong usage or configuration, or nothing can listen on the address
      4  the database failed when it was opened
    """
    check_interval(every)
    settings = _settings(context, host, port, root_path, trust_proxy, hosts)
    token, _ = find_web_token(token_file, context.configuration().web, context.environ)
    _check_extra()
    from mediasync.web.server import inherited_sockets

    inherited = inherited_sockets(context.environ)
    for each in inherited:
        name = each.getsockname()
        if isinstance(name, str):
            uds = name
        elif settings.host is None or each is inherited[0] or not _is_loopback(name[0]):
            settings = settings.model_copy(update={"host": name[0], "port": name[1]})
    access = _access(settings, token, no_auth=no_auth, uds=uds)
    given = sources or list(context.configuration().sources)
    jobs = jobs_of(context, given, [], [], may_be_skipped=True) if given else []
    notifier = find_notifier(context, notify, notify_on or [])
    served = _Served(
        settings, access, inherited, uds, jobs, None if no_watch else every, not no_events, at_once, notifier
    )
    with one_core_left_free():
        return context.run(_serve(context, served), knows_sources=True)


@dataclass(frozen=True, slots=True)
class _Access:
    """Who may do what.

    Attributes:
        guard: decides it.
        made_token: the password that was made because none was given.
    """

    guard: Guard
    made_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Served:
    """What is served.

    Attributes:
        settings: where, and by which names.
        access: who may do what.
        inherited: the sockets that a service manager has opened.
        uds: the Unix socket to listen on.
        jobs: the sources.
        every: how often a source without a schedule is synced; None to sync nothing on schedules.
        events: whether sources that report events are listened to.
        at_once: how many sources are synced at once on schedules.
        notifier: tells somebody about syncs.
    """

    settings: WebSettings
    access: _Access
    inherited: list[socket.socket]
    uds: str | None
    jobs: Sequence[Job]
    every: str | None
    events: bool
    at_once: int
    notifier: Notifier | None

    @property
    def host(self) -> str:
        return self.settings.host or DEFAULT_HOST

    @property
    def port(self) -> int:
        return DEFAULT_PORT if self.settings.port is None else self.settings.port


def _check_extra() -> None:
    """Check that the extra is installed.

    Raises:
        ConfigurationError: if not; it says how to install it.
    """
    try:
        import mediasync.web.server  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "mediasync":
            raise
        raise ConfigurationError(f"the website needs its extra: {install_command('web')}") from error


def _settings(
    context: CommandContext,
    host: str | None,
    port: int | None,
    root_path: str | None,
    proxies: list[str] | None,
    hosts: list[str] | None,
) -> WebSettings:
    """Return the settings of the configuration file, with those of the options in their place."""
    found: dict[str, object] = {}
    if host is not None:
        found["host"] = host
    if port is not None:
        found["port"] = port
    option = "--root-path"
    try:
        if root_path is not None:
            found["root_path"] = check_root_path(root_path)
        option = "--trust-proxy"
        if proxies:
            found["trusted_proxies"] = tuple(map(check_proxy, proxies))
        option = "--hosts"
        if hosts:
            found["hosts"] = tuple(map(check_host_name, hosts))
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    return context.configuration().web.model_copy(update=found)


def _access(settings: WebSettings, token: str | None, *, no_auth: bool, uds: str | None) -> _Access:
    """Return who may do what.

    Raises:
        UsageError: if others reach the site, and it is not said what they may do.
    """
    from mediasync.web.guard import Access, Guard

    host = settings.host or DEFAULT_HOST
    only_here = uds is None and _is_loopback(host) and not settings.trusted_proxies
    if token is not None:
        default = Access.READ if no_auth or only_here else Access.NONE
        return _Access(Guard(token, default=default, only_direct=not no_auth))
    if only_here:
        made = secrets.token_urlsafe(18)
        return _Access(Guard(made, default=Access.READ, only_direct=not no_auth), made)
    if not no_auth:
        where = "--uds" if uds else "--trust-proxy" if _is_loopback(host) else f"--host {host}"
        raise UsageError(
            f"{where} lets others reach the site: give --token-file with a password, or --no-auth to let "
            "everybody read"
        )
    return _Access(Guard())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(context: CommandContext, served: _Served) -> int:
    import socket

    from mediasync.web import PictureOptions, create_app
    from mediasync.web.server import WebServer, bind, bind_unix

    url = context.url()
    sockets = served.inherited
    if not sockets:
        sockets = bind_unix(served.uds) if served.uds else bind(served.host, served.port)
    try:
        context.make_folder(url)
        async with MediaSync(url, file_mode=context.mode(), keep_removed=context.keep_removed()) as ms:
            known = {source.id for source in await ms.media.list_sources()}
            context.warn_of_variables(sorted(known | {job.source_id for job in served.jobs}))
            names = (socket.gethostname(), f"{socket.gethostname()}.local", served.host)
            app = create_app(
                ms,
                sources=[job.given for job in served.jobs],
                guard=served.access.guard,
                hosts=(*names, *served.settings.hosts),
                cors_origins=served.settings.cors_origins,
                public_metrics=served.settings.public_metrics,
                pictures=PictureOptions(
                    folder=served.settings.pictures, most_bytes=served.settings.pictures_mb * 1_000_000
                ),
            )
            server = WebServer(
                app,
                root_path=served.settings.root_path,
                trusted_proxies=served.settings.trusted_proxies,
                on_listening=lambda: _announce(context, served, sockets),
            )
            await _run(context, served, ms, server, sockets, app.state.site)
    finally:
        for each in sockets:
            each.close()
        if served.uds and not served.inherited:
            with suppress(FileNotFoundError):
                Path(served.uds).unlink()
    return ExitCode.OK


async def _run(
    context: CommandContext,
    served: _Served,
    ms: MediaSync,
    server: WebServer,
    sockets: list[socket.socket],
    site: Site,
) -> None:
    """Serve, report syncs, and sync on schedules, until a signal comes or one of these fails."""
    reports = SyncReports(context.out, ms, served.jobs, served.notifier)
    events = EventQueue()
    site.desk.listen(events.put)
    serving = asyncio.create_task(server.serve(sockets), name="mediasync serve")
    helpers = [asyncio.create_task(_report(events, reports), name="mediasync reports")]
    if served.every is not None and served.jobs:
        watch = ms.watch(
            [job.given for job in served.jobs],
            every=served.every,
            events=served.events,
            jobs=served.at_once,
        )
        helpers.append(asyncio.create_task(site.desk.keep(watch), name="mediasync watch"))
    try:
        await asyncio.wait({serving, *helpers}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        reports.tell("stopping; what was saved stays")
    site.streams.close()  # the server waits for them
    server.stop()
    await finish(site.desk.close())
    await cancel_all(helpers)
    await finish(asyncio.wait({serving}))
    serving.result()
    for helper in helpers:
        if not helper.cancelled():
            helper.result()


async def _report(events: EventQueue, reports: SyncReports) -> None:
    while True:
        while events:
            await reports.show(events.take())
        await events.movement()


def _announce(context: CommandContext, served: _Served, sockets: Sequence[socket.socket]) -> None:
    """Say where the site is, how to sign in, and what it shows and syncs."""
    out = context.out
    if served.uds:
        out.note(f"listening on {served.uds}")
    else:
        _announce_address(context, served, sockets)
    out.note(f"the database is {database_name(context.url())}")
    if not served.jobs:
        out.note(
            "nothing is synced, because no source is named: mediasync init sets one up, "
            "mediasync serve nfo:FOLDER names one"
        )


def _announce_address(context: CommandContext, served: _Served, sockets: Sequence[socket.socket]) -> None:
    out = context.out
    shown = f"[{served.host}]" if ":" in served.host else served.host
    address = f"http://{shown}:{sockets[0].getsockname()[1]}{served.settings.root_path}"
    out.note(f"listening on {address}/")
    if served.access.made_token is not None:
        out.note(f"to change things, sign in at {address}/sign-in with the token {served.access.made_token}")
