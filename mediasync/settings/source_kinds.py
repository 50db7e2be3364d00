"""The kinds of source: what each is configured with, and what makes its backend.

mediasync's own kinds stand in a table. Others are registered by a program (`SourceKinds.register`), or come
with an installed distribution that has an entry point in the group ``mediasync.backends``. The name of the
entry point is the name of the kind, so a plug-in is imported only when a source of its kind is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from mediasync.backends.base import Backend, PictureSource
from mediasync.errors import ConfigurationError, MediaSyncError
from mediasync.settings.http import HttpOptions
from mediasync.settings.installation import check_client_id, find_client_id
from mediasync.vocabulary import SOURCE_KIND, SourceKind

if TYPE_CHECKING:
    from mediasync.settings.source import SourceConfig

T = TypeVar("T")

KODI_EVENTS_PORT: Final = 9090
"""The port of Kodi's notifications, unless its ``advancedsettings.xml`` names another one."""

ENTRY_POINTS: Final = "mediasync.backends"
"""The group of the entry points by which an installed distribution adds kinds of source."""

SECRETS: Final = ("token", "password")
"""The settings that hold a secret of the server. Each may be in a file instead: ``token_file``,
``password_file``."""

HOOK_SECRET: Final = "hook_secret"  # noqa: S105
"""The setting that holds the secret of the webhooks of a source. It may be in a file, too."""

_OF_EVERY_SOURCE: Final = frozenset(
    {
        "id",
        "kind",
        "name",
        "include",
        "exclude",
        "compare_days",
        "every",
        "at",
        "events",
        "hook_secret",
        "hook_secret_file",
    }
)
_OF_EVERY_SERVER: Final = frozenset({"url", "wait_for_scan", *HttpOptions.model_fields})


@dataclass(frozen=True, slots=True)
class BackendContext:
    """What the factory of a backend can use besides the settings of the source.

    Attributes:
        given_client_id: the client identifier that the program chose; None if it chose none.
    """

    given_client_id: str | None = None

    def client_id(self) -> str:
        """Return the identifier by which servers know this installation. It is made where there is none.

        Raises:
            ConfigurationError: if the identifier contains characters that are not allowed.
        """
        if self.given_client_id is not None:
            return check_client_id(self.given_client_id)
        return find_client_id(os.environ)


BackendFactory = Callable[["SourceConfig", BackendContext], Backend]
"""Makes the backend of a source from its settings."""

PictureFactory = Callable[["SourceConfig", BackendContext], PictureSource]
"""Makes what fetches the pictures of a source from its settings."""


@dataclass(frozen=True, slots=True)
class SourceKindSpec:
    """One kind of source.

    Attributes:
        name: at least two lower-case letters, digits, ``-`` or ``_``, starting with a letter.
        factory: makes the backend; or ``"package.module:name"``, to import the factory when it is first used.
        address: whether a source is found by a URL (``NAME+https://HOST``) or by a path (``NAME:PATH``). The
            path is the setting ``folder``, and may be that of a file.
        default_port: the port of a URL that starts with ``http://`` and has none. None leaves such a URL
            without a port.
        settings: any of ``token``, ``key``, ``username``, ``password``, ``timezone``, ``events_port`` and
            ``events_poll``. Every source also takes ``name``, ``include``, ``exclude``, ``compare_days``,
            ``every``, ``at``, ``events`` and ``hook_secret``; one with a URL takes those of HTTP as well.
        login: settings of which at least one is required, because the server always asks for a login; empty
            if none is required.
        example: how a source of this kind is written; made from the name if it is empty.
        pictures: makes what fetches its pictures, given as *factory* is; None if it has no pictures.

    Example:
        >>> SourceKindSpec("json", "films.json_backend:make", address="path").how_to_write
        'json:PATH'
    """

    name: str
    factory: BackendFactory | str
    address: Literal["url", "path"] = "url"
    default_port: int | None = None
    settings: frozenset[str] = frozenset()
    login: tuple[str, ...] = ()
    example: str = ""
    pictures: PictureFactory | str | None = None

    def __post_init__(self) -> None:
        if not SOURCE_KIND.fullmatch(self.name):
            raise ConfigurationError(
                f"{self.name!r} cannot name a kind of source: use at least two lower-case letters, digits, "
                "'-' and '_', starting with a letter"
            )

    @property
    def how_to_write(self) -> str:
        """How a source of this kind is written on the command line."""
        if self.example:
            return self.example
        if self.address == "path":
            return f"{self.name}:PATH"
        where = f"http://HOST:{self.default_port}" if self.default_port else "https://HOST"
        return f"{self.name}+{where}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that a source of this kind may have."""
        return tuple(secret for secret in SECRETS if secret in self.settings)

    def takes(self, setting: str) -> bool:
        """Return whether a source of this kind has the setting."""
        if setting in _OF_EVERY_SOURCE:
            return True
        if setting in ({"folder"} if self.address == "path" else _OF_EVERY_SERVER):
            return True
        return setting.removesuffix("_file") in self.settings

    def make(self, config: SourceConfig, context: BackendContext) -> Backend:
        """Return the backend of a source.

        Raises:
            ConfigurationError: if the source cannot be used, or the factory fails.
        """
        return self._made("backend", self.factory, config, context)

    def make_pictures(self, config: SourceConfig, context: BackendContext) -> PictureSource | None:
        """Return what fetches the pictures of a source; None if the kind has none.

        Raises:
            ConfigurationError: if the source cannot be used, or the factory fails.
        """
        return None if self.pictures is None else self._made("picture source", self.pictures, config, context)

    def _made(
        self,
        what: str,
        factory: Callable[[SourceConfig, BackendContext], T] | str,
        config: SourceConfig,
        context: BackendContext,
    ) -> T:
        try:
            make: Callable[[SourceConfig, BackendContext], T] = (
                EntryPoint(self.name, factory, ENTRY_POINTS).load() if isinstance(factory, str) else factory
            )
            return make(config, context)
        except MediaSyncError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"source {config.id!r}: the {what} of the kind {self.name!r} cannot be made: "
                f"{type(error).__name__}: {error}",
                source_id=config.id,
            ) from error


class SourceKinds(Mapping[str, SourceKindSpec]):
    """The kinds of source, by name: those of a table, those registered, and those of installed plug-ins.

    Iterating gives the names of all, and imports no plug-in.
    """

    def __init__(self, own: tuple[SourceKindSpec, ...]) -> None:
        self._known = {spec.name: spec for spec in own}

    def register(self, spec: SourceKindSpec) -> None:
        """Add a kind of source, for the whole process.

        Raises:
            ConfigurationError: if there is a different kind of this name.
        """
        if self._known.setdefault(spec.name, spec) != spec:
            raise ConfigurationError(f"there is a kind of source {spec.name!r} already: choose another name")

    def __getitem__(self, name: str) -> SourceKindSpec:
        """Return a kind by its name.

        Raises:
            KeyError: if there is no kind of this name.
            ConfigurationError: if the plug-in that provides it cannot be used; the message names the plug-in.
        """
        if name not in self._known:
            self._known[name] = _load(name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or (
            isinstance(name, str) and bool(entry_points(group=ENTRY_POINTS, name=name))
        )

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._known, *sorted(entry_points(group=ENTRY_POINTS).names))))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def how_to_write(self) -> str:
        """Return in words how a source is written, with an example of each kind."""
        servers = ", ".join(spec.how_to_write for spec in self._known.values() if spec.address == "url")
        folders = ", ".join(spec.how_to_write for spec in self._known.values() if spec.address == "path")
        plugged_in = ", ".join(name for name in self if name not in self._known)
        more = f"; plug-ins add the kinds {plugged_in}" if plugged_in else ""
        return (
            f"write {folders}, or the kind of server and its address: {servers}{more}; with NAME= before it "
            "to give it a name of lower-case letters, digits, '-' and '_'"
        )


def _load(name: str) -> SourceKindSpec:
    """Return the kind that a plug-in provides."""
    found = list(dict.fromkeys(entry_points(group=ENTRY_POINTS, name=name)))
    if not found:
        raise KeyError(name)
    if len(found) > 1:
        origins = ", ".join(sorted(map(_origin, found)))
        raise ConfigurationError(
            f"the kind of source {name!r} is provided by several plug-ins, {origins}: uninstall all but one"
        )
    [entry] = found
    try:
        spec = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"{_origin(entry)}, which provides the kind of source {name!r}, cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(spec, SourceKindSpec) or spec.name != name:
        raise ConfigurationError(
            f"{_origin(entry)} is not a SourceKindSpec called {name!r}: correct the plug-in, or uninstall it"
        )
    return spec


def _origin(entry: EntryPoint) -> str:
    distribution = f" of {entry.dist.name}" if entry.dist is not None else ""
    return f"the plug-in {entry.value}{distribution}"


_JELLYFIN_SETTINGS: Final = frozenset({"token", "username", "password"})

SOURCE_KINDS: Final = SourceKinds((
    SourceKindSpec(
        SourceKind.NFO,
        "mediasync.factories:make_nfo",
        pictures="mediasync.factories:make_nfo_pictures",
        address="path",
        settings=frozenset({"events_poll"}),
        example="nfo:FOLDER",
    ),
    SourceKindSpec(
        SourceKind.PLEX,
        "mediasync.factories:make_plex",
        pictures="mediasync.factories:make_plex_pictures",
        default_port=32400,
        settings=frozenset({"token", "key"}),
        login=("token", "key_file"),
        example="plex+https://HOST",
    ),
    SourceKindSpec(
        SourceKind.JELLYFIN,
        "mediasync.factories:make_jellyfin",
        pictures="mediasync.factories:make_jellyfin_pictures",
        default_port=8096,
        settings=_JELLYFIN_SETTINGS,
        login=("token", "username"),
    ),
    SourceKindSpec(
        SourceKind.EMBY,
        "mediasync.factories:make_emby",
        pictures="mediasync.factories:make_emby_pictures",
        default_port=8096,
        settings=_JELLYFIN_SETTINGS,
        login=("token", "username"),
    ),
    SourceKindSpec(
        SourceKind.KODI,
        "mediasync.factories:make_kodi",
        pictures="mediasync.factories:make_kodi_pictures",
        default_port=8080,
        settings=frozenset({"username", "password", "timezone", "events_port"}),
    ),
))  # fmt: skip
"""All kinds of source. Add your own with ``SOURCE_KINDS.register(SourceKindSpec(…))``."""
