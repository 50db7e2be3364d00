"""``mediasync init``."""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from mediasync.backends.plex.cloud import PlexCloud, PlexServer
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.cli.questions import Questions
from mediasync.cli.sync import sync_named
from mediasync.discovery import DiscoveredServer, discover_servers
from mediasync.errors import (
    ConfigurationError,
    SourceError,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreachable,
    UsageError,
)
from mediasync.models import Library
from mediasync.settings.file import read_configuration
from mediasync.settings.http import HttpOptions
from mediasync.settings.installation import find_client_id
from mediasync.settings.plex_hosts import plex_hosts
from mediasync.signing_in.credentials import PASSWORD, TOKEN, Challenge, Credentials
from mediasync.signing_in.jellyfin import JellyfinSignIn
from mediasync.signing_in.plan import (
    SourcePlan,
    Written,
    check_new_id,
    configuration_to_write,
    propose_id,
    write_source,
)
from mediasync.signing_in.plex import PlexAccount, PlexSignIn, fetch_machine_id
from mediasync.signing_in.servers import find_first, find_server
from mediasync.signing_in.trial import Trial, try_source

T = TypeVar("T")

_NEW: Final = "new"
"""How errors name a source that has no id yet."""


class Kind(StrEnum):
    """The kinds of source that can be set up."""

    PLEX = "plex"
    JELLYFIN = "jellyfin"
    EMBY = "emby"
    KODI = "kodi"
    NFO = "nfo"


class SignIn(StrEnum):
    """The ways to sign in."""

    KEY = "key"
    PIN = "pin"
    QUICK_CONNECT = "quick-connect"
    PASSWORD = "password"  # noqa: S105
    TOKEN = "token"  # noqa: S105


_KINDS: Final = (
    (Kind.PLEX, "Plex Media Server"),
    (Kind.JELLYFIN, "Jellyfin"),
    (Kind.EMBY, "Emby"),
    (Kind.KODI, "Kodi"),
    (Kind.NFO, "a folder of NFO files"),
)
_WAYS: Final = {
    SignIn.KEY: "approve this device in the browser: a key, whose tokens last a week and renew themselves",
    SignIn.PIN: "type a code at plex.tv/link: a token that lasts until it is revoked",
    SignIn.QUICK_CONNECT: "type a code in Jellyfin (Quick Connect)",
    SignIn.PASSWORD: "name and password of a user",
    SignIn.TOKEN: "a token or API key that you have",
}
_WAYS_OF: Final = {
    Kind.PLEX: (SignIn.KEY, SignIn.PIN, SignIn.TOKEN),
    Kind.JELLYFIN: (SignIn.QUICK_CONNECT, SignIn.PASSWORD, SignIn.TOKEN),
    Kind.EMBY: (SignIn.PASSWORD, SignIn.TOKEN),
    Kind.KODI: (SignIn.PASSWORD,),
    Kind.NFO: (),
}


@dataclass(frozen=True, slots=True)
class Given:
    """The answers that options give.

    Attributes:
        kind, url, folder, name, sign_in, user, password_file, token_file, ca_file, timezone: the options.
        libraries: the titles or ids of the libraries to include.
        discover: whether to look for servers on the network.
        replace: whether an existing source may be replaced.
    """

    kind: Kind | None = None
    url: str | None = None
    folder: Path | None = None
    name: str | None = None
    sign_in: SignIn | None = None
    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    libraries: tuple[str, ...] = ()
    ca_file: Path | None = None
    timezone: str | None = None
    discover: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """A source that was set up.

    Attributes:
        id: its id.
        plan: its settings.
        trial: what it said of itself.
        included: its libraries that are read.
        written: the files.
    """

    id: str
    plan: SourcePlan
    trial: Trial
    included: tuple[Library, ...]
    written: Written


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
    found = _run(context, discover_servers())
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


def _run(context: CommandContext, work: Coroutine[Any, Any, T]) -> T:
    """Run a step in an event loop of its own, which a signal cancels. Between the steps somebody is asked."""
    results: list[T] = []

    async def keep() -> int:
        results.append(await work)
        return 0

    context.run(keep(), knows_sources=True)
    return results[0]


class SetUp:
    """Sets up one source: finds it, signs in, tries it, and writes it.

    Args:
        context: the command.
        given: the answers that options give.
        ask: asks for the others.
    """

    def __init__(self, context: CommandContext, given: Given, ask: Questions) -> None:
        self._context = context
        self._given = given
        self._ask = ask
        self._id = given.name or _NEW
        self._client_id = find_client_id(context.environ)
        self._path = configuration_to_write(context.config, context.environ)
        self._taken = list(read_configuration(self._path).sources) if self._path.exists() else []
        self._verify: bool | Path = True if given.ca_file is None else _absolute(given.ca_file)

    def run(self) -> Added:
        """Set up the source.

        Raises:
            UsageError: if an answer is missing, and nobody can be asked.
            SourceError: if nobody can be asked, and the source cannot be opened.
        """
        self._choose_given_id()  # before somebody has signed in for nothing
        if self._ask.may_ask:
            self._ask.say(f"The source is written to {self._path}.")
        plan, trial = self._plan()
        included = self._choose_libraries(trial.libraries)
        if len(included) < len(trial.libraries):
            include = _names(included, trial.libraries)
            plan = replace(plan, settings={**plan.settings, "include": include})
        source_id, replaces = self._choose_id(plan, trial.name)
        written = _run(self._context, self._write(source_id, plan, replaces=replaces))
        return Added(source_id, plan, trial, tuple(included), written)

    async def _write(self, source_id: str, plan: SourcePlan, *, replaces: bool) -> Written:
        # In an event loop a signal waits until all files have their names.
        return write_source(self._path, source_id, plan, replace=replaces)

    def _plan(self) -> tuple[SourcePlan, Trial]:
        given = self._given
        if given.folder is not None and given.url is not None:
            raise UsageError("--folder and --url exclude each other")
        if given.folder is not None or given.kind is Kind.NFO:
            return self._plan_folder()
        kind, url = self._find_kind_and_address()
        if kind is Kind.NFO:
            return self._plan_folder()
        if kind is Kind.PLEX and url is None:
            return self._plan_from_account()
        return self._plan_server(kind, url)

    def _find_kind_and_address(self) -> tuple[Kind | None, str | None]:
        given, ask = self._given, self._ask
        if given.url is not None:
            return given.kind, given.url
        if ask.may_ask and given.kind is None:
            question = "Look for servers on this network? This asks all its machines"
            if (given.discover or ask.yes(question, default=False)) and (found := self._discover()):
                return Kind(found.kind), found.url
        kind = given.kind
        if kind is None:
            kind = Kind(ask.choose("Kind of source", _KINDS, option="--kind"))
        return kind, None

    def _discover(self) -> DiscoveredServer | None:
        ask = self._ask
        ask.say("Asking the network …")
        found = _run(self._context, discover_servers())
        if not found:
            ask.say("No server answered.")
            return None
        labels = [(str(number), f"{one.kind} at {one.url} {one.name}") for number, one in enumerate(found, 1)]
        choices = [*labels, ("none", "none of these")]
        answer = ask.choose("Server", choices, option="--url")
        return None if answer == "none" else found[int(answer) - 1]

    def _plan_folder(self) -> tuple[SourcePlan, Trial]:
        folder = self._given.folder
        while True:
            if folder is None:
                folder = Path(self._ask.text("Folder of the NFO files", option="--folder"))
            plan = SourcePlan(Kind.NFO, folder=_absolute(folder))
            try:
                return plan, self._try(plan)
            except (SourceError, ConfigurationError) as error:
                self._again(error)
                folder = None

    def _again(self, error: Exception) -> None:
        """Say what is wrong, so that somebody can answer otherwise.

        Raises:
            Exception: the error, if nobody can be asked.
        """
        if not self._ask.may_ask:
            raise error
        self._ask.say(f"That does not work: {str(error).removeprefix(f'source {self._id!r}: ')}")

    def _try(self, plan: SourcePlan) -> Trial:
        if self._ask.may_ask:
            self._ask.say("Trying it …")
        return _run(self._context, try_source(plan.config(self._id), client_id=self._client_id))

    def _options(self) -> HttpOptions:
        return HttpOptions(verify=self._verify)

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        if self._verify is not True:
            settings["verify"] = self._verify if self._verify is False else str(self._verify)
        if self._given.timezone is not None:
            settings["timezone"] = self._given.timezone
        return settings

    # Servers

    def _plan_server(self, kind: Kind | None, url: str | None) -> tuple[SourcePlan, Trial]:
        found, address = self._reach(kind, url)
        while True:
            try:
                credentials = self._sign_in(found, address)
                plan = SourcePlan(found, address, credentials=credentials, settings=self._settings())
                return plan, self._try(plan)
            except (SourceError, ConfigurationError) as error:
                self._again(error)

    def _sign_in(self, kind: Kind, address: str) -> Credentials:
        if kind is Kind.PLEX:
            return self._sign_in_to_plex(address)
        if kind is Kind.KODI:
            return self._sign_in_to_kodi(address)
        return self._sign_in_to_jellyfin(kind, address)

    def _reach(self, kind: Kind | None, url: str | None) -> tuple[Kind, str]:
        """Return the kind and the address of a server that answers."""
        while True:
            if url is None:
                url = self._ask.text("Address of the server", option="--url")
            try:
                work = find_server(url, kind, source_id=self._id, options=self._options())
                found = _run(self._context, work)
            except SourceUnreachable as error:
                self._again(error)
                if "certificate" not in error.reason or not self._ask_for_authority():
                    url = None
            except (SourceMismatch, ConfigurationError) as error:
                self._again(error)
                url = None
                if isinstance(error, SourceMismatch):
                    kind = Kind(
                        self._ask.choose("Kind of source", _KINDS[:-1], option="--kind", default=kind)
                    )
            else:
                if self._ask.may_ask:
                    self._ask.say(f"Found {found.kind} at {found.url}.")
                return Kind(found.kind), found.url

    def _ask_for_authority(self) -> bool:
        """Ask for the file of a certificate's authority, and return whether there is another try."""
        self._ask.say(
            "A self-signed certificate is trusted if you give it as a file (PEM). Type no to trust any "
            "certificate: then whoever controls your network can read what is sent."
        )
        question = "Certificate file, or no, or empty for another address"
        answer = self._ask.text(question, option="--ca-file", default="")
        if not answer:
            return False
        self._verify = False if answer.lower() == "no" else _absolute(Path(answer))
        return True

    def _choose_way(self, kind: Kind, usual: SignIn) -> SignIn:
        ways = _WAYS_OF[kind]
        given = self._given
        if given.sign_in is not None:
            if given.sign_in not in ways:
                raise UsageError(
                    f"{kind} cannot be signed in to by {given.sign_in}: give {' or '.join(ways)}"
                )
            return given.sign_in
        if given.token_file is not None and SignIn.TOKEN in ways:
            return SignIn.TOKEN
        if (given.user is not None or given.password_file is not None) and SignIn.PASSWORD in ways:
            return SignIn.PASSWORD
        choices = [(way, _WAYS[way]) for way in ways]
        if not self._ask.may_ask:
            raise UsageError(f"say how to sign in: give --sign-in {', '.join(ways)}")
        return SignIn(self._ask.choose("How to sign in", choices, option="--sign-in", default=usual))

    def _sign_in_to_jellyfin(self, kind: Kind, address: str) -> Credentials:
        flow = JellyfinSignIn(
            address,
            is_emby=kind is Kind.EMBY,
            client_id=self._client_id,
            source_id=self._id,
            options=self._options(),
        )
        usual = SignIn.PASSWORD
        if (
            self._ask.may_ask
            and self._given.sign_in is None
            and _run(self._context, flow.has_quick_connect())
        ):
            usual = SignIn.QUICK_CONNECT
        match self._choose_way(kind, usual):
            case SignIn.QUICK_CONNECT:
                return _run(self._context, flow.by_quick_connect(self._show))
            case SignIn.TOKEN:
                return self._token()
        user = self._given.user or self._ask.text("User", option="--user")
        return _run(self._context, flow.by_password(user, self._password()))

    def _sign_in_to_kodi(self, address: str) -> Credentials:
        given = self._given
        if given.user is None and given.password_file is None:
            try:
                self._try(SourcePlan(Kind.KODI, address, settings=self._settings()))
            except SourceUnauthorised:
                if not self._ask.may_ask:
                    raise UsageError("Kodi asks for a password: give --user and --password-file") from None
            else:
                return Credentials()
        user = given.user or self._ask.text("User", option="--user", default="kodi")
        return Credentials({PASSWORD: self._password()}, user)

    def _password(self) -> str:
        file = self._given.password_file
        if file is not None:
            return _read(file, "--password-file")
        return self._ask.secret("Password", option="--password-file")

    def _token(self) -> Credentials:
        file = self._given.token_file
        if file is not None:
            return Credentials({TOKEN: _read(file, "--token-file")})
        return Credentials({TOKEN: self._ask.secret("Token", option="--token-file")})

    def _show(self, challenge: Challenge) -> None:
        act = f"Open {challenge.url}"
        if challenge.code:
            act += f" and type {challenge.code}"
        self._ask.say(f"{act}. You have {max(1, round(challenge.seconds / 60))} minutes. Waiting …")

    # Plex

    def _sign_in_to_account(self) -> PlexAccount:
        cloud = PlexCloud(plex_hosts(self._context.environ), self._client_id, self._id)
        flow = PlexSignIn(cloud)
        way = self._choose_way(Kind.PLEX, SignIn.KEY if find_spec("jwt") else SignIn.PIN)
        if way is SignIn.TOKEN:
            token = self._token().secrets[TOKEN]
            return PlexAccount(token, None, ())
        return _run(self._context, flow.by_key(self._show) if way is SignIn.KEY else flow.by_pin(self._show))

    def _sign_in_to_plex(self, address: str) -> Credentials:
        account = self._sign_in_to_account()
        work = fetch_machine_id(address, source_id=self._id, options=self._options())
        return account.credentials(account.server_at(_run(self._context, work)))

    def _plan_from_account(self) -> tuple[SourcePlan, Trial]:
        """Sign in to Plex first, and choose one of the account's servers."""
        while True:
            try:
                account = self._sign_in_to_account()
                if not account.servers:
                    return self._plan_known_account(account)
                server = self._choose_server(account.servers)
                work = find_first(server.urls, Kind.PLEX, source_id=self._id, options=self._options())
                plan = SourcePlan(
                    Kind.PLEX,
                    _run(self._context, work).url,
                    credentials=account.credentials(server),
                    settings=self._settings(),
                )
                return plan, self._try(plan)
            except (SourceError, ConfigurationError) as error:
                self._again(error)

    def _plan_known_account(self, account: PlexAccount) -> tuple[SourcePlan, Trial]:
        """Ask for the address of a server, if Plex names none."""
        if not self._ask.may_ask:
            raise UsageError("Plex names no server of this account: give --url")
        self._ask.say("Plex names no server of this account.")
        _, address = self._reach(Kind.PLEX, None)
        plan = SourcePlan(Kind.PLEX, address, credentials=account.credentials(), settings=self._settings())
        return plan, self._try(plan)

    def _choose_server(self, servers: Sequence[PlexServer]) -> PlexServer:
        if len(servers) == 1:
            return servers[0]
        if not self._ask.may_ask:
            names = ", ".join(server.name for server in servers)
            raise UsageError(f"this account has several servers ({names}): give --url")
        choices = [
            (str(number), f"{server.name}{'' if server.owned else ' (shared with you)'}")
            for number, server in enumerate(servers, 1)
        ]
        return servers[int(self._ask.choose("Server", choices, option="--url")) - 1]

    # What is written

    def _choose_libraries(self, libraries: Sequence[Library]) -> list[Library]:
        wanted = self._given.libraries
        if wanted:
            known = {name for one in libraries for name in (one.title, one.id)}
            if unknown := [name for name in wanted if name not in known]:
                there_are = ", ".join(one.title for one in libraries) or "none"
                raise UsageError(f"there is no library {unknown[0]!r}; there are: {there_are}")
            return [one for one in libraries if one.title in wanted or one.id in wanted]
        if not libraries:
            self._ask.say(
                "It lists no library of movies or shows. A sync will find those that it gets later."
            )
            return []
        if not self._ask.may_ask:
            return list(libraries)
        self._ask.say("Its libraries:")
        labels = [f"{one.title} ({one.kind})" for one in libraries]
        return [libraries[place] for place in self._ask.choose_some("Which ones to include", labels)]

    def _choose_given_id(self) -> tuple[str, bool] | None:
        """Return the id that an option gives, and whether it replaces another source; None without one."""
        name = self._given.name
        if name is None:
            return None
        if name in self._taken and self._given.replace:
            return name, True
        return check_new_id(name, self._taken), False

    def _choose_id(self, plan: SourcePlan, name: str) -> tuple[str, bool]:
        """Return the id of the source, and whether it replaces another one."""
        ask = self._ask
        if chosen := self._choose_given_id():
            return chosen
        proposed = propose_id(plan, name, self._taken)
        while ask.may_ask:
            answer = ask.text("Name of the source", option="--name", default=proposed)
            if answer in self._taken and ask.yes(f"Replace the settings of {answer!r}?", default=False):
                return answer, True
            try:
                return check_new_id(answer, self._taken), False
            except ConfigurationError as error:
                ask.say(str(error))
        return proposed, False


def _names(included: Sequence[Library], libraries: Sequence[Library]) -> list[str]:
    """Return what names the included libraries in the configuration: their titles, if those are unique."""
    taken = [one.title for one in libraries] + [one.id for one in libraries]
    return [one.title if one.title and taken.count(one.title) == 1 else one.id for one in included]


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"{str(path)!r} is not a path: {error}") from None


def _read(file: Path, option: str) -> str:
    try:
        return _absolute(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not valid UTF-8"
        raise UsageError(f"{option}: {str(file)!r} cannot be read: {reason}") from None
