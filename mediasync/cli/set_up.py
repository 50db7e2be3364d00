"""Setting up one source for ``mediasync init``: questions, and the steps between them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

from mediasync.backends.plex.cloud import PlexCloud, PlexServer
from mediasync.cli.context import CommandContext
from mediasync.cli.questions import Questions
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


def run_step(context: CommandContext, work: Coroutine[Any, Any, T]) -> T:
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
        written = run_step(self._context, self._write(source_id, plan, replaces=replaces))
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
        found = run_step(self._context, discover_servers())
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
        return run_step(self._context, try_source(plan.config(self._id), client_id=self._client_id))

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
                found = run_step(self._context, work)
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
            and run_step(self._context, flow.has_quick_connect())
        ):
            usual = SignIn.QUICK_CONNECT
        match self._choose_way(kind, usual):
            case SignIn.QUICK_CONNECT:
                return run_step(self._context, flow.by_quick_connect(self._show))
            case SignIn.TOKEN:
                return self._token()
        user = self._given.user or self._ask.text("User", option="--user")
        return run_step(self._context, flow.by_password(user, self._password()))

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
            return PlexAccount(token, None, (), is_given=True)
        return run_step(
            self._context, flow.by_key(self._show) if way is SignIn.KEY else flow.by_pin(self._show)
        )

    def _sign_in_to_plex(self, address: str) -> Credentials:
        return self._credentials_for(self._sign_in_to_account(), address)

    def _credentials_for(self, account: PlexAccount, address: str) -> Credentials:
        """Return what to read a server with. A strange server does not get the account's token unasked.

        Raises:
            SourceMismatch: if the server is not one of the account's.
        """
        work = fetch_machine_id(address, source_id=self._id, options=self._options())
        server = account.server_at(run_step(self._context, work))
        question = "Plex does not name this server as one of the account's. Send it the account's token?"
        if server is None and not account.is_given and not self._ask.yes(question, default=False):
            raise SourceMismatch(
                self._id,
                f"the server at {address} is not one of this account's: sign in with the account that may "
                "read it, or give a token (--token-file)",
            )
        return account.credentials(server)

    def _plan_from_account(self) -> tuple[SourcePlan, Trial]:
        """Sign in to Plex first, and choose one of the account's servers."""
        while True:
            try:
                account = self._sign_in_to_account()
                if not account.servers:
                    return self._plan_known_account(account)
                server = self._choose_server(account.servers)
                work = find_first(server.urls, Kind.PLEX, source_id=self._id, options=self._options())
                address = run_step(self._context, work).url
                # Another network may have another server at the same local address.
                credentials = self._credentials_for(account, address)
                plan = SourcePlan(Kind.PLEX, address, credentials=credentials, settings=self._settings())
                return plan, self._try(plan)
            except (SourceError, ConfigurationError) as error:
                self._again(error)

    def _plan_known_account(self, account: PlexAccount) -> tuple[SourcePlan, Trial]:
        """Ask for the address of a server, if Plex names none."""
        if not self._ask.may_ask:
            raise UsageError("Plex names no server of this account: give --url")
        self._ask.say("Plex names no server of this account.")
        _, address = self._reach(Kind.PLEX, None)
        credentials = self._credentials_for(account, address)
        plan = SourcePlan(Kind.PLEX, address, credentials=credentials, settings=self._settings())
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
