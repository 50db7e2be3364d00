"""The configuration of a source: from a text, from a table of ``mediasync.toml``, or in Python."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mediasync.errors import ConfigurationError
from mediasync.ids import SOURCE_ID, check_source_id
from mediasync.models import Source, SourceKindName
from mediasync.settings.addresses import folder_id, label, server_id, server_url
from mediasync.settings.defaults import DEFAULT_COMPARE_DAYS
from mediasync.settings.environment import read_value, source_variable
from mediasync.settings.http import HttpOptions, find_header_flaw
from mediasync.settings.schedule import Schedule, read_interval, read_times
from mediasync.settings.source_kinds import (
    HOOK_SECRET,
    KODI_EVENTS_PORT,
    SECRETS,
    SOURCE_KINDS,
    SourceKindSpec,
)
from mediasync.settings.suggestions import unknown_name, unknown_setting
from mediasync.settings.timezones import find_timezone
from mediasync.text import without_secrets
from mediasync.vocabulary import SourceKind

DEFAULT_WAIT_FOR_SCAN: Final = 900.0

_HOOK_SECRET: Final = re.compile(r"[A-Za-z0-9._~-]{16,256}")
"""Texts that stand in a URL as they are."""
_NAMED: Final = re.compile(r"([^=:/\\]*)=(.*)", re.DOTALL)
_SERVER: Final = re.compile(r"(?is)([a-z][a-z0-9_-]*)\+(https?://.*)")
_URL: Final = re.compile(r"(?is)https?://.*")


@dataclass(frozen=True, slots=True)
class FlawedSource:
    """A source whose configuration cannot be used. `mediasync.MediaSync.sync_all` reports its error.

    Attributes:
        id: the id of the source, or its text if it has no id.
        error: what is wrong with it.
    """

    id: str
    error: ConfigurationError


class SourceConfig(HttpOptions):
    """The settings of one source.

    They include those of `mediasync.settings.http.HttpOptions`. Its ``repr`` does not show secrets. A setting
    that a source of this kind does not have is an error.

    Attributes:
        id: chosen by the user. By default it is made of the kind and the host, or of the kind and the folder.
        kind: a name in `mediasync.settings.source_kinds.SOURCE_KINDS`. It is not needed for a folder of NFO
            files, or if the URL starts with it.
        name: for people.
        url: the address of the server: ``https://host:port/base``, or ``plex+https://…`` with the kind. It
            must not contain a secret.
        folder: the folder of the NFO files, or the path of a source of a plug-in.
        token: Plex, Jellyfin, Emby: the token or API key.
        token_file: a file with the token.
        key_file: Plex only: a file with the private key of this device, which gets a new token before the one
            of *token_file* ends.
        username: Kodi, Jellyfin, Emby: the user to sign in as.
        password: the password of that user.
        password_file: a file with the password.
        timezone: Kodi only: the time zone of its times, ``Europe/Berlin``.
        events_port: Kodi only: the port at which it announces its notifications.
        include: the only libraries to read, by title or id; all if it is empty.
        exclude: libraries not to read.
        compare_days: within how many days every item is read again although it did not change; ``never`` or
            infinite for never.
        every: how often `mediasync.MediaSync.watch` syncs it: ``6h``, or a `timedelta`; at least a minute.
        at: at which times of the day it does: ``03:30``, or several, in the time zone of the machine.
        events: whether `mediasync.MediaSync.watch` listens to its events, if it reports any.
        events_poll: NFO only: every how many seconds all files are looked at to find changes, where the
            system does not report them, as on network mounts; at least 1.
        hook_secret: what a webhook of the source has to show, at least 16 characters; without one, webhooks
            are refused.
        hook_secret_file: a file with it.
        wait_for_scan: seconds to wait for a server that is scanning its files. After that its lists of people
            are treated as previews.

    Example:
        >>> SourceConfig(kind="jellyfin", url="http://nas").id
        'jellyfin-nas'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: str = ""
    kind: SourceKindName
    name: str = ""
    url: str | None = None
    folder: Path | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    key_file: Path | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    timezone: str | None = None
    events_port: int = Field(default=KODI_EVENTS_PORT, ge=1, le=65535)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    compare_days: float = Field(default=DEFAULT_COMPARE_DAYS, gt=0)
    every: timedelta | None = None
    at: tuple[time, ...] = ()
    events: bool = True
    events_poll: float | None = Field(default=None, ge=1, le=86_400)
    hook_secret: SecretStr | None = None
    hook_secret_file: Path | None = None
    wait_for_scan: float = Field(default=DEFAULT_WAIT_FOR_SCAN, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _find_kind(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        url = values.get("url")
        if isinstance(url, str) and (match := _SERVER.fullmatch(url)):
            kind = match[1].lower()
            if values.setdefault("kind", kind) != kind:
                raise ValueError(f"url starts with {kind}+, but kind is {str(values['kind'])!r}")
            values["url"] = match[2]
        elif values.get("folder") is not None:
            values.setdefault("kind", SourceKind.NFO)
        return values

    @field_validator("folder", "token_file", "key_file", "password_file", "hook_secret_file", "verify")
    @classmethod
    def _find_file(cls, value: Path | bool | None, info: ValidationInfo) -> Path | bool | None:
        if not isinstance(value, Path):
            return value
        try:
            path = value.expanduser()
        except RuntimeError as error:
            raise ValueError(
                f"is not the path of a {'folder' if info.field_name == 'folder' else 'file'}: {error}"
            ) from None
        # Paths in a configuration file are relative to that file, not to the working folder.
        base = (info.context or {}).get("folder")
        return path if base is None else base / path

    @field_validator("verify", mode="before")
    @classmethod
    def _read_truth(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
                value.lower(), Path(value)
            )
        return value

    @field_validator("compare_days", mode="before")
    @classmethod
    def _read_never(cls, value: Any) -> Any:
        return math.inf if isinstance(value, str) and value.strip().lower() == "never" else value

    @field_validator("every", mode="before")
    @classmethod
    def _read_every(cls, value: Any) -> timedelta | None:
        return read_interval(value)

    @field_validator("at", mode="before")
    @classmethod
    def _read_at(cls, value: Any) -> tuple[time, ...]:
        return read_times(value)

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in value.items():
            if flaw := find_header_flaw(name, secret.get_secret_value()):
                raise ValueError(flaw)
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str | None) -> str | None:
        if value is not None:
            find_timezone(value)
        return value

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, value: SourceKind | str) -> SourceKind | str:
        try:
            known = SOURCE_KINDS.get(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        if known is None:
            raise ValueError(f"{value!r} {unknown_name(value, SOURCE_KINDS, 'a kind of source')}")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        spec = self.spec
        if spec.address == "path":
            self._check_folder(spec)
        else:
            self._check_server(spec)
        for secret in (*SECRETS, HOOK_SECRET):
            value = getattr(self, secret)
            if value is not None and getattr(self, f"{secret}_file") is not None:
                raise ValueError(f"{secret} and {secret}_file are both given: give only one of them")
            if value is not None and (flaw := _flaw_of_secret(secret, value.get_secret_value())):
                raise ValueError(f"{secret} {flaw}")
        if not self.id:
            object.__setattr__(self, "id", self._derive_id(spec))
            if self.folder is not None and not self.name:
                object.__setattr__(self, "name", label(self.folder))
        check_source_id(self.id)
        return self

    def _check_folder(self, spec: SourceKindSpec) -> None:
        if self.folder is None or not str(self.folder):
            raise ValueError(f"folder is missing: write the path of the files, {spec.how_to_write}")
        self._check_settings(spec)

    def _check_server(self, spec: SourceKindSpec) -> None:
        if self.folder is not None:
            raise ValueError(f"{self.kind} has a url, not a folder")
        if not self.url:
            raise ValueError(f"url is missing: write the address of the server, {self.kind}+https://HOST")
        object.__setattr__(self, "url", server_url(self.url, spec.default_port))
        self._check_settings(spec)

    def _check_settings(self, spec: SourceKindSpec) -> None:
        if unused := sorted(name for name in self.model_fields_set if not spec.takes(name)):
            raise ValueError(f"{self.kind} has no {' and no '.join(unused)}")

    def _derive_id(self, spec: SourceKindSpec) -> str:
        if self.folder is not None:
            return folder_id(self.kind, label(self.folder))
        return server_id(self.kind, self.url or "", spec.default_port)

    @property
    def spec(self) -> SourceKindSpec:
        """The kind of source."""
        return SOURCE_KINDS[self.kind]

    @property
    def location(self) -> str:
        """The URL, or the kind and the folder."""
        return self.url or f"{self.kind}:{self.folder}"

    @property
    def schedule(self) -> Schedule | None:
        """When it is synced; None if its settings do not say."""
        return Schedule(self.every, self.at) if self.every or self.at else None

    @property
    def source(self) -> Source:
        """The model of the source that is stored."""
        return Source(id=self.id, kind=self.kind, name=self.name)

    @property
    def http(self) -> HttpOptions:
        """The settings of HTTP alone."""
        return HttpOptions(**{name: getattr(self, name) for name in HttpOptions.model_fields})

    def read_secret(self, name: str) -> str | None:
        """Return the token, the password or the secret of webhooks; None if there is none.

        It is read from its file, if it is in one.

        Args:
            name: ``token``, ``password`` or ``hook_secret``.

        Raises:
            ConfigurationError: if the file cannot be read, is empty, or does not contain a valid secret.
        """
        given, file = getattr(self, name), getattr(self, f"{name}_file")
        if file is None:
            return None if given is None else str(given.get_secret_value())
        if name == "token" and self.key_file is not None and not file.exists():
            return None  # the first sync writes it
        subject = f"{name} of source {self.id!r}"
        try:
            value = read_value(file, subject)
        except ConfigurationError as error:
            error.source_id = self.id
            raise
        if flaw := _flaw_of_secret(name, value):
            raise ConfigurationError(f"{subject}: the content of {str(file)!r} {flaw}", source_id=self.id)
        return value

    def check_login(self) -> None:
        """Check that a source of a kind that always asks for a login has one.

        Raises:
            ConfigurationError: if it has none, or a file with a secret cannot be read.
        """
        secrets = {name: self.read_secret(name) for name in SECRETS}
        login = self.spec.login
        if not login or any(secrets.get(name) or getattr(self, name) for name in login):
            return
        variable = source_variable(self.id, login[0])
        if len(login) == 1:
            flaw = f"no {login[0]}: {variable} or {login[0]}_file gives it"
        else:
            names = " nor ".join(f"a {name}" for name in login)
            flaw = f"neither {names}: {variable} or {login[0]}_file gives a {login[0]}"
        raise ConfigurationError(f"source {self.id!r} has {flaw}", source_id=self.id)


def parse_source(text: str) -> SourceConfig:
    """Return the source that a text names, without the settings of the environment.

    Args:
        text: ``nfo:FOLDER``, ``plex+https://HOST``, ``jellyfin+…``, ``emby+…``, ``kodi+…``, or another kind
            of `SOURCE_KINDS` with its path or URL; each with ``NAME=`` before it to choose the id. The page
            on ids says which id a source without a name gets.

    Raises:
        ConfigurationError: if the text does not name a source, or (with a ``source_id``) the source cannot be
            used. The message repeats no secret.

    Example:
        >>> parse_source("home=plex+https://plex.example:32400").url
        'https://plex.example:32400'
        >>> parse_source("kodi+http://127.0.0.1").id
        'kodi-127-0-0-1'
    """
    name, rest = "", text
    if match := _NAMED.fullmatch(text):
        name, rest = match[1], match[2]
        if not SOURCE_ID.fullmatch(name):
            raise ConfigurationError(f"{_shown(text)!r} is not a source: {SOURCE_KINDS.how_to_write()}")
    values: dict[str, Any] = {"id": name}
    source_id = name or _shown(text)
    kind, colon, folder = rest.partition(":")
    if match := _SERVER.fullmatch(rest):
        kind = match[1].lower()
        if not _is_kind(kind, "url", source_id):
            raise ConfigurationError(f"{match[1]!r} is not a kind of server: {SOURCE_KINDS.how_to_write()}")
        values |= {"kind": kind, "url": match[2]}
    elif colon and folder and _is_kind(kind, "path", source_id):
        values |= {"kind": kind, "folder": folder}
    elif _URL.fullmatch(rest):
        raise ConfigurationError(
            f"{_shown(text)!r} is not a source: say which kind of server it is; {SOURCE_KINDS.how_to_write()}"
        )
    else:
        raise ConfigurationError(f"{_shown(text)!r} is not a source: {SOURCE_KINDS.how_to_write()}")
    try:
        return SourceConfig.model_validate(values)
    except ValidationError as error:
        subject = f"source {name!r}" if name else f"a source of the kind {kind}"
        flaws = f"{subject}: {'; '.join(flaws_of(error))}"
        raise ConfigurationError(flaws, source_id=source_id) from None


def _is_kind(kind: str, address: Literal["url", "path"], source_id: str) -> bool:
    """Return whether there is a kind of source of this name that is found by such an address.

    Raises:
        ConfigurationError: if it is one of a plug-in that cannot be used.
    """
    try:
        spec = SOURCE_KINDS.get(kind)
    except ConfigurationError as error:
        raise ConfigurationError(f"source {source_id!r}: {error}", source_id=source_id) from error
    return spec is not None and spec.address == address


def flaws_of(error: ValidationError, names: Mapping[str, str] | None = None, subject: str = "") -> list[str]:
    """Return the messages of a validation error, without the values that were given.

    Args:
        error: raised by pydantic for a `SourceConfig`.
        names: other names of settings for the messages.
        subject: stands before a message that is not about a single setting.
    """
    found = []
    for flaw in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(map(str, flaw["loc"][:1])) or ""
        name = (names or {}).get(where, where) or subject
        message = flaw["msg"].removeprefix("Value error, ")
        if flaw["type"] == "missing":
            message = "is missing"
        elif flaw["type"] == "extra_forbidden":
            message = unknown_setting(where, SourceConfig.model_fields)
        found.append(f"{name}: {message}" if name else message)
    return list(dict.fromkeys(found))


def _flaw_of_secret(name: str, value: str) -> str | None:
    if not value:
        return "is empty"
    if name == "token" and not (value.isascii() and value.isprintable() and " " not in value):
        return "is not a token: it contains white space, or characters that are not ASCII"
    if name == HOOK_SECRET and not _HOOK_SECRET.fullmatch(value):
        return "is not safe: write at least 16 letters, digits, '-', '_', '.' and '~'"
    return None


def _shown(text: str) -> str:
    return without_secrets(text).partition("?")[0]
