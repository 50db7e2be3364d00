"""A source that is about to be configured, and writing it with its secrets beside ``mediasync.toml``."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from mediasync.errors import ConfigurationError
from mediasync.ids import SOURCE_ID
from mediasync.settings.addresses import folder_id, label, server_id, slug
from mediasync.settings.environment import CONFIG_VARIABLE, read_setting
from mediasync.settings.file import read_configuration, same_variables
from mediasync.settings.file_search import FILE_NAME, find_configuration, user_folder
from mediasync.settings.secret_files import StagedFile
from mediasync.settings.source import FlawedSource, SourceConfig, flaws_of
from mediasync.settings.source_kinds import SECRETS, SOURCE_KINDS
from mediasync.signing_in.credentials import KEY, Credentials

_PRIVATE: Final = 0o600
_REPLACED: Final = (
    *("kind", "url", "folder", "name", "username", "token", "token_file", "key_file"),
    *("password", "password_file", "verify", "timezone", "include", "exclude"),
)
"""The settings that are written anew when a source is replaced. Others, like its schedule, stay."""


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """The settings of a source that has no id yet.

    Attributes:
        kind: the name of the kind of source.
        url: the address of a server.
        folder: the folder of NFO files.
        credentials: what to sign in with.
        settings: further settings, as they are written in the file: ``verify``, ``timezone``, ``include``.
    """

    kind: str
    url: str | None = None
    folder: Path | None = None
    credentials: Credentials = field(default_factory=Credentials)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def config(self, source_id: str = "") -> SourceConfig:
        """Return the settings with the secrets in them, to try the source.

        Args:
            source_id: the id; by default it is made from the address.

        Raises:
            ConfigurationError: if a setting is not valid.
        """
        secrets = {name: value for name, value in self.credentials.secrets.items() if name != KEY}
        try:
            return SourceConfig.model_validate({"id": source_id, **self._plain(), **secrets})
        except ValidationError as error:
            raise ConfigurationError("; ".join(flaws_of(error))) from None

    def table(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return the settings as they are written in ``mediasync.toml``.

        Args:
            files: the name of the file of each secret.
        """
        return {**self._plain(), **{f"{name}_file": file for name, file in files.items()}}

    def _plain(self) -> dict[str, Any]:
        values = {
            "kind": self.kind,
            "url": self.url,
            "folder": None if self.folder is None else str(self.folder),
            "username": self.credentials.username,
            **self.settings,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        configuration: the configuration file.
        secrets: the files of the secrets, each readable by its owner alone.
    """

    configuration: Path
    secrets: tuple[Path, ...]


def configuration_to_write(option: str | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file that a source is added to. It need not exist.

    Args:
        option: the path of the file; it overrides the environment.
        environ: ``MEDIASYNC_CONFIG`` has the path. Without either it is the file that every command reads, or
            else a new one in the user's configuration folder.

    Raises:
        ConfigurationError: if the path cannot be used, or the user has no home.
    """
    named = option if option is not None else read_setting(CONFIG_VARIABLE, environ)
    if named is not None:
        try:
            return Path(named).expanduser().absolute()
        except RuntimeError as error:
            raise ConfigurationError(f"{named!r} is not the path of a configuration file: {error}") from None
    found = find_configuration(None, {})
    if found is not None:
        return found.absolute()
    folder = user_folder()
    if folder is None:
        raise ConfigurationError("this user has no home folder: name the configuration file with --config")
    return folder / FILE_NAME


def propose_id(plan: SourcePlan, name: str, taken: Collection[str]) -> str:
    """Return an id for a source that is not taken yet: made from its name, or else from its address.

    Args:
        plan: the source.
        name: its name for people; may be empty.
        taken: the ids that there are.

    Example:
        >>> propose_id(SourcePlan("jellyfin", "http://nas:8096"), "Living Room", ["living-room"])
        'living-room-2'
    """
    base = slug(name)[:40].strip("-")
    if not base:
        if plan.folder is not None:
            base = folder_id(plan.kind, label(plan.folder))
        else:
            base = server_id(plan.kind, plan.url or "", SOURCE_KINDS[plan.kind].default_port)
    found, number = base, 1
    while found in taken or same_variables([*taken, found]):
        number += 1
        found = f"{base}-{number}"
    return found


def check_new_id(source_id: str, taken: Collection[str]) -> str:
    """Return an id if a new source can have it.

    Raises:
        ConfigurationError: if it is not valid, is taken, or has the environment variables of another one.
    """
    if not SOURCE_ID.fullmatch(source_id):
        raise ConfigurationError(
            f"{source_id!r} cannot name a source: use lower-case letters, digits, '-' and '_', starting with "
            "a letter or a digit"
        )
    if source_id in taken:
        raise ConfigurationError(f"there is a source {source_id!r} already: choose another name")
    if pair := same_variables([*taken, source_id]):
        raise ConfigurationError(
            f"{pair[0]!r} and {pair[1]!r} would have the same environment variables: choose another name"
        )
    return source_id


def write_source(path: Path, source_id: str, plan: SourcePlan, *, replace: bool = False) -> Written:
    """Add a source to a configuration file, and write its secrets into files beside it.

    Comments and the order of the file stay. Everything is first written under other names, and then renamed,
    the configuration last. So an interrupted call leaves a configuration without the source, and never half a
    file.

    Args:
        path: the configuration file. It is created, with its folder, if it does not exist; others cannot
            read it then. An existing one keeps its permissions.
        source_id: the id of the source.
        plan: the source.
        replace: whether an existing source with this id gets the new settings.

    Raises:
        ConfigurationError: if the file cannot be read or written, if it already has the source, or if the
            source could not be used.
    """
    try:
        return _write(path, source_id, plan, replace=replace)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror or error}") from error


def _write(path: Path, source_id: str, plan: SourcePlan, *, replace: bool) -> Written:
    path = Path(os.path.realpath(path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not path.exists()
    known = {} if is_new else read_configuration(path).sources
    if source_id in known and not replace:
        raise ConfigurationError(
            f"{path} has a source {source_id!r} already: choose another name, or replace it (--replace)"
        )
    text = "" if is_new else path.read_bytes().decode()
    mode = _PRIVATE if is_new else stat.S_IMODE(path.stat().st_mode)
    old = _own_files(known.get(source_id), path.parent)
    files = {
        name: old.get(name) or _free_name(path.parent, source_id, name) for name in plan.credentials.secrets
    }
    table = plan.table(files)
    staged = [
        StagedFile(path.parent / file, f"{plan.credentials.secrets[name]}\n") for name, file in files.items()
    ]
    try:
        staged.append(StagedFile(path, _with_table(text, source_id, table), mode))
        _check(staged[-1], path, source_id, {file.path for file in staged})
        for file in staged:
            file.publish()
    finally:
        for file in staged:
            file.discard()
    return Written(path, tuple(file.path for file in staged[:-1]))


def _own_files(source: SourceConfig | FlawedSource | None, folder: Path) -> dict[str, str]:
    """Return the names of the files that `write_source` once wrote for the secrets of a source."""
    if not isinstance(source, SourceConfig):
        return {}
    found: dict[str, str] = {}
    for name in (*SECRETS, KEY):
        file = getattr(source, f"{name}_file")
        if file is not None and file.parent == folder and file.name.startswith(source.id):
            found[name] = file.name
    return found


def _free_name(folder: Path, source_id: str, secret: str) -> str:
    """Return the name of a file that does not exist, so that no other secret is overwritten."""
    number = 1
    while (folder / (name := f"{source_id}{'' if number == 1 else f'-{number}'}.{secret}")).exists():
        number += 1
    return name


def _with_table(text: str, source_id: str, table: Mapping[str, Any]) -> str:
    """Return the text of a configuration file with the table of a source."""
    import tomlkit  # only this command needs it
    from tomlkit.items import InlineTable

    document = tomlkit.parse(text)
    sources: Any = document.get("sources", {})
    if source_id in sources:
        known = sources[source_id]
        for name in _REPLACED:
            if name in known and name not in table:
                del known[name]
        for name, value in table.items():
            known[name] = value
        return tomlkit.dumps(document)
    if isinstance(sources, InlineTable):
        inline = tomlkit.inline_table()
        inline.update(table)
        sources[source_id] = inline
        return tomlkit.dumps(document)
    # A table that is appended to the text leaves every comment where it is; the library would move some.
    added = tomlkit.dumps({"sources": {source_id: table}})
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    return text + f"{gap}{added}".replace("\n", end_of_line)


def _check(staged: StagedFile, path: Path, source_id: str, pending: Collection[Path]) -> None:
    """Check that the new text is valid, and that the source in it can be used.

    Raises:
        ConfigurationError: if not. Its message names the file by the name that it will have.
    """
    try:
        tomllib.loads(staged.staged.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: the source cannot be added to this file: {error}") from None
    source = read_configuration(staged.staged).sources[source_id]
    if isinstance(source, FlawedSource):
        raise ConfigurationError(str(source.error).replace(str(staged.staged), str(path)))
    files = [file for file in (source.token_file, source.password_file, source.key_file) if file is not None]
    assert all(Path(os.path.realpath(file)) in pending for file in files)
