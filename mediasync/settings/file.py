"""The configuration file ``mediasync.toml``, and how options and the environment override it."""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from mediasync.errors import ConfigurationError
from mediasync.ids import SOURCE_ID
from mediasync.settings.database import database_url, parse_file_mode, sqlite_path, sqlite_url
from mediasync.settings.environment import SETTINGS, read_setting, source_variable
from mediasync.settings.notify import NotifySettings, read_notify_table
from mediasync.settings.source import FlawedSource, SourceConfig, flaws_of, parse_source
from mediasync.settings.source_kinds import HOOK_SECRET, SECRETS
from mediasync.settings.suggestions import unknown_setting
from mediasync.settings.web import WebSettings, read_web_table

_PASSWORD_IN_URL: Final = re.compile(r"[^/]*://[^/@]*:[^/@]*@")

_log: Final = logging.getLogger("mediasync.settings.file")

_TABLES: Final = ("database", "notify", "sources", "web")
_OF_DATABASE: Final = ("url", "file_mode", "keep_removed")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The content of a configuration file, without the environment.

    Attributes:
        path: the file, or None if there is none.
        database: the URL of the database, or None.
        file_mode: the permissions of a new database file, or None.
        keep_removed: for how many days removed items are kept, or None.
        sources: the sources, by id, in the order of the file. One that cannot be used is a `FlawedSource`.
        warnings: flaws that do not prevent the file from being used.
        notify: whom to tell about runs.
        web: where the website listens, and who may use it.
    """

    path: Path | None = None
    database: str | None = None
    file_mode: int | None = None
    keep_removed: float | None = None
    sources: Mapping[str, SourceConfig | FlawedSource] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notify: NotifySettings = field(default_factory=NotifySettings)
    web: WebSettings = field(default_factory=WebSettings)


def read_configuration(path: str | Path | None) -> Configuration:
    """Read a configuration file.

    A source that cannot be used does not affect the others. It becomes a `FlawedSource`, whose error names
    the file, the table and the key of each flaw, but never a value.

    Args:
        path: the file; None gives an empty configuration.

    Raises:
        ConfigurationError: if the file cannot be read, or is wrong outside the tables of its sources.

    Example:
        >>> read_configuration(None).sources
        {}
    """
    if path is None:
        return Configuration()
    file = Path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror or error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: cannot be read: it is not valid UTF-8") from None
    folder = file.parent.absolute()
    flaws = [f"{name} {unknown_setting(name, _TABLES)}" for name in document if name not in _TABLES]
    database, mode, keep_removed = _read_database(document.get("database", {}), folder, flaws)
    notify, flaws_of_notify = read_notify_table(document.get("notify", {}), folder)
    web, flaws_of_web = read_web_table(document.get("web", {}), folder)
    flaws += flaws_of_notify + flaws_of_web
    tables = document.get("sources", {})
    if not isinstance(tables, dict):
        flaws.append("sources is not a table: write [sources.NAME]")
    if flaws:
        raise ConfigurationError(f"{file}: {'; '.join(flaws)}")
    sources = _read_sources(tables, folder, file)
    warnings = _warnings(file, document)
    for text in warnings:
        _log.warning("%s", text)
    return Configuration(file, database, mode, keep_removed, sources, warnings, notify, web)


def choose_source(
    text: str, configuration: Configuration, environ: Mapping[str, str]
) -> SourceConfig | FlawedSource:
    """Return the source that a text names, with the settings of the environment.

    Args:
        text: the name of a source of the file, or a source as `parse_source` takes it. If the file has a
            source with the same id, the text replaces its address, and the other settings stay.
        configuration: the content of the file.
        environ: the environment variables.

    Returns:
        The source; or why it cannot be used.

    Raises:
        ConfigurationError: if the text does not name a source.
    """
    try:
        source = configuration.sources.get(text) or _given_source(text, configuration)
        if isinstance(source, SourceConfig):
            source = with_environment(source, environ)
            for secret in SECRETS:
                source.read_secret(secret)
    except ConfigurationError as error:
        if error.source_id is None:
            raise
        return FlawedSource(error.source_id, error)
    return source


def _given_source(text: str, configuration: Configuration) -> SourceConfig | FlawedSource:
    """Return a source whose text is not just an id."""
    if SOURCE_ID.fullmatch(text) and configuration.path is not None:
        names = ", ".join(configuration.sources) or "none"
        raise ConfigurationError(f"{configuration.path} has no source {text!r}; there are: {names}")
    given = parse_source(text)
    known = configuration.sources.get(given.id)
    return given if known is None else _moved(known, given)


def _moved(known: SourceConfig | FlawedSource, given: SourceConfig) -> SourceConfig | FlawedSource:
    """Return a source of the file with another address."""
    if isinstance(known, FlawedSource):
        return known
    if known.kind != given.kind:
        raise ConfigurationError(
            f"source {given.id!r} is {known.kind} in the configuration file, not {given.kind}: give the new "
            "one another name"
        )
    address = "folder" if given.spec.address == "path" else "url"
    return known.model_copy(update={address: getattr(given, address)})


def with_environment(source: SourceConfig, environ: Mapping[str, str]) -> SourceConfig:
    """Return *source* with the settings of the environment, which override its own.

    Args:
        source: the source as configured elsewhere.
        environ: may have a variable for each of `SETTINGS`, or one with ``_FILE`` appended that names a file
            with the value. ``HEADERS`` has one line ``Name: value`` for each header. ``INCLUDE`` and
            ``EXCLUDE`` have titles or ids, separated by commas or line breaks.

    Raises:
        ConfigurationError: if a variable is not valid, or a source of this kind does not have the setting.
    """
    found: dict[str, Any] = {}
    for setting in SETTINGS:
        name = source_variable(source.id, setting)
        try:
            text = read_setting(name, environ)
            if text is not None:
                found[setting] = _from_text(setting, text, name)
        except ConfigurationError as error:
            error.source_id = source.id
            raise
    if not found:
        return source
    values = {name: getattr(source, name) for name in source.model_fields_set}
    values |= {"id": source.id, "name": source.name}
    for secret in (*SECRETS, HOOK_SECRET):
        if secret in found:
            values.pop(f"{secret}_file", None)
    try:
        return SourceConfig.model_validate({**values, "kind": source.kind, **found})
    except ValidationError as error:
        names = {setting: source_variable(source.id, setting) for setting in found}
        flaws = "; ".join(flaws_of(error, names, ", ".join(names.values())))
        raise ConfigurationError(flaws, source_id=source.id) from None


def _from_text(setting: str, text: str, name: str) -> Any:
    if setting == "headers":
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        if not all(colon for _, colon, _ in pairs):
            raise ConfigurationError(f"{name}: write a line 'Name: value' for each header")
        return {header.strip(): value.strip() for header, _, value in pairs}
    if setting in {"include", "exclude"}:
        return tuple(part.strip() for part in re.split(r"[\n,]", text) if part.strip())
    return text


def _read_database(table: Any, folder: Path, flaws: list[str]) -> tuple[str | None, int | None, float | None]:
    """Return the URL of the database, the permissions of a new file, and how long removed items are kept.

    Flaws are appended to *flaws*.
    """
    if not isinstance(table, dict):
        flaws.append("database is not a table: write [database], and url = … below it")
        return None, None, None
    flaws += [
        f"[database] {name} {unknown_setting(name, _OF_DATABASE)}"
        for name in table
        if name not in _OF_DATABASE
    ]
    mode = None
    try:
        if "file_mode" in table:
            mode = parse_file_mode(table["file_mode"], "[database] file_mode")
    except ConfigurationError as error:
        flaws.append(str(error))
    return _read_url(table.get("url"), folder, flaws), mode, _read_days(table, flaws)


def _read_days(table: Mapping[str, Any], flaws: list[str]) -> float | None:
    value = table.get("keep_removed")
    if value is None or (type(value) in (int, float) and value >= 0):
        return value
    if value == "never":
        return inf
    flaws.append('[database] keep_removed: must be a number of days, 0 or more, or "never" to delete nothing')
    return None


def _read_url(url: Any, folder: Path, flaws: list[str]) -> str | None:
    if url is None:
        return None
    if not isinstance(url, str) or not url.strip():
        flaws.append("[database] url: is not the URL or path of a database")
        return None
    try:
        url = database_url(url, {}) or ""
    except ConfigurationError as error:
        flaws.append(f"[database] url: {error}")
        return None
    path = sqlite_path(url)
    return url if path is None or path.is_absolute() else sqlite_url(folder / path)


def _read_sources(tables: dict[str, Any], folder: Path, file: Path) -> dict[str, SourceConfig | FlawedSource]:
    sources: dict[str, SourceConfig | FlawedSource] = {}
    for name, table in tables.items():
        try:
            sources[name] = _read_source(name, table, folder)
        except ConfigurationError as error:
            sources[name] = _flawed(name, f"{file}: {error}")
    if pair := same_variables(sources):
        flaw = (
            f"{file}: [sources.{pair[0]}] and [sources.{pair[1]}] have the same environment variables: "
            "rename one of them"
        )
        sources |= {name: _flawed(name, flaw) for name in pair}
    return sources


def _read_source(name: str, table: Any, folder: Path) -> SourceConfig:
    where = f"[sources.{name}]"
    if not SOURCE_ID.fullmatch(name):
        raise ConfigurationError(
            f"{where}: cannot name a source: use lower-case letters, digits, '-' and '_', starting with a "
            "letter or a digit"
        )
    if not isinstance(table, dict):
        raise ConfigurationError(f"sources.{name} is not a table: write {where}")
    if "id" in table:
        raise ConfigurationError(f"{where} id: the id is the name of the table")
    try:
        return SourceConfig.model_validate({**table, "id": name}, context={"folder": folder})
    except ValidationError as error:
        raise ConfigurationError("; ".join(f"{where} {flaw}" for flaw in flaws_of(error))) from None


def _flawed(name: str, text: str) -> FlawedSource:
    return FlawedSource(name, ConfigurationError(text, source_id=name))


def _warnings(file: Path, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return warnings about secrets in a file that other users can read."""
    if os.name == "nt" or not file.stat().st_mode & stat.S_IROTH:
        return ()
    tables = document.get("sources", {})
    secret = [
        f"{name} of [sources.{source}]"
        for source, table in tables.items()
        if isinstance(table, dict)
        for name in (*SECRETS, HOOK_SECRET, "headers")
        if table.get(name)
    ]
    if document.get("notify", {}).get("url"):
        secret.append("url of [notify]")
    url = document.get("database", {}).get("url", "")
    if isinstance(url, str) and _PASSWORD_IN_URL.match(url):
        secret.append("the password of [database]")
    if not secret:
        return ()
    return (f"{file}: every user of this machine can read {', '.join(secret)}: chmod 600 {file}",)


def same_variables(source_ids: Iterable[str]) -> tuple[str, str] | None:
    """Return two ids whose environment variables have the same names, or None if there are none."""
    seen: dict[str, str] = {}
    for source_id in source_ids:
        other = seen.setdefault(source_variable(source_id, ""), source_id)
        if other != source_id:
            return other, source_id
    return None
