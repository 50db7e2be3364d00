"""What ``mediasync.toml`` and the environment say of sources and of the database."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import ValidationError

from mediasync.config import database_url, read_setting, source_variable, sqlite_path, sqlite_url
from mediasync.errors import ConfigurationError
from mediasync.ids import SOURCE_ID
from mediasync.sources import SECRETS, SourceConfig, flaws_of, parse_source, unknown

CONFIG_VARIABLE: Final = "MEDIASYNC_CONFIG"
FILE_NAME: Final = "mediasync.toml"

SETTINGS: Final = (
    "token",
    "username",
    "password",
    "verify",
    "headers",
    "timezone",
    "include",
    "exclude",
    "wait_for_scan",
    "connect_timeout",
    "read_timeout",
    "tries",
    "concurrency",
    "patience",
    "backoff",
)
"""What the environment can say of a source: ``MEDIASYNC_<SOURCE>_`` and the setting in capitals."""

_TABLES: Final = ("database", "sources")
_OF_DATABASE: Final = ("url",)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says; the environment is not in it.

    Attributes:
        path: the file, or None where there is none.
        database: the URL of the database; None if it names none.
        sources: the sources, by id, in the order of the file.
    """

    path: Path | None = None
    database: str | None = None
    sources: Mapping[str, SourceConfig] = field(default_factory=dict)


def find_configuration(option: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file that is used, or None if there is none.

    Args:
        option: names it, and beats the environment.
        environ: ``MEDIASYNC_CONFIG`` names it. Without either it is ``mediasync.toml`` in the working folder,
            or else in the user's folder for configuration.

    Raises:
        ConfigurationError: if a file that is named is not there.
    """
    named = str(option) if option is not None else read_setting(CONFIG_VARIABLE, environ)
    if named is not None:
        try:
            path = Path(named).expanduser()
        except RuntimeError as error:
            raise ConfigurationError(f"{named!r} names no configuration file: {error}") from None
        if not path.is_file():
            raise ConfigurationError(f"there is no configuration file {named!r}")
        return path
    for find_folder in (Path, user_folder):
        folder = find_folder()
        if folder is not None and (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def user_folder() -> Path | None:
    """Return the user's folder for configuration; None for a user who has no home."""
    try:
        return platformdirs.user_config_path("mediasync", appauthor=False)
    except RuntimeError:
        return None


def read_configuration(path: str | Path | None) -> Configuration:
    """Read a configuration file.

    Args:
        path: the file; None for no file, which says nothing.

    Raises:
        ConfigurationError: if it cannot be read, or something in it cannot be used: file, table and key of
            all that is wrong are told, values are not.

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
        raise ConfigurationError(f"{file}: is no TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: cannot be read: it is no text in UTF-8") from None
    folder = file.parent.absolute()
    flaws = [f"{name} {unknown(name, _TABLES)}" for name in document if name not in _TABLES]
    database = _read_database(document.get("database", {}), folder, flaws)
    sources = _read_sources(document.get("sources", {}), folder, flaws)
    if flaws:
        raise ConfigurationError(f"{file}: {'; '.join(flaws)}")
    return Configuration(file, database, sources)


def choose_source(text: str, configuration: Configuration, environ: Mapping[str, str]) -> SourceConfig:
    """Return the source that a word of the command line means, with what the environment says of it.

    Args:
        text: the name of a source of the file, or a source as `mediasync.sources.parse_source` takes it. If
            the file has one of the same id, its other settings hold, and only its address is the text's.
        configuration: what the file says.
        environ: the environment.

    Raises:
        ConfigurationError: if it means none that can be used.
    """
    source = configuration.sources.get(text)
    if source is None:
        if SOURCE_ID.fullmatch(text) and configuration.path is not None:
            names = ", ".join(configuration.sources) or "none"
            raise ConfigurationError(f"{configuration.path} has no source {text!r}; there are: {names}")
        source = parse_source(text)
        if known := configuration.sources.get(source.id):
            source = _moved(known, source)
    return with_environment(source, environ)


def _moved(known: SourceConfig, given: SourceConfig) -> SourceConfig:
    """Return a source of the file at another address."""
    if known.kind is not given.kind:
        raise ConfigurationError(
            f"source {given.id!r} is {known.kind} in the configuration file, and not {given.kind}: give the "
            "other one another name"
        )
    return known.model_copy(update={"url": given.url, "folder": given.folder})


def with_environment(source: SourceConfig, environ: Mapping[str, str]) -> SourceConfig:
    """Return *source* with what the environment says of it, which beats what it says itself.

    Args:
        source: the source.
        environ: for each of `SETTINGS` a variable, or one of the same name and ``_FILE`` with a file
            that holds it. ``HEADERS`` has a line ``Name: value`` for each; ``INCLUDE`` and ``EXCLUDE`` have
            titles or ids with commas, or each in a line, between them.

    Raises:
        ConfigurationError: if a variable cannot be used, or is of no use to a source of this kind.
    """
    found: dict[str, Any] = {}
    for setting in SETTINGS:
        name = source_variable(source.id, setting)
        text = read_setting(name, environ)
        if text is not None:
            found[setting] = _from_text(setting, text, name)
    if not found:
        return source
    values = {name: getattr(source, name) for name in source.model_fields_set}
    values |= {"id": source.id, "name": source.name}
    for secret in SECRETS:
        if secret in found:
            values.pop(f"{secret}_file", None)
    try:
        return SourceConfig.model_validate({**values, "kind": source.kind, **found})
    except ValidationError as error:
        names = {setting: source_variable(source.id, setting) for setting in found}
        raise ConfigurationError("; ".join(flaws_of(error, names, f"MEDIASYNC_… of {source.id!r}"))) from None


def _from_text(setting: str, text: str, name: str) -> Any:
    if setting == "headers":
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        if not all(colon for _, colon, _ in pairs):
            raise ConfigurationError(f"{name}: write a line 'Name: value' for each header")
        return {header.strip(): value.strip() for header, _, value in pairs}
    if setting in {"include", "exclude"}:
        return tuple(part.strip() for part in re.split(r"[\n,]", text) if part.strip())
    return text


def _read_database(table: Any, folder: Path, flaws: list[str]) -> str | None:
    if not isinstance(table, dict):
        flaws.append("database is no table: write [database] and below it url = …")
        return None
    flaws += [
        f"[database] {name} {unknown(name, _OF_DATABASE)}" for name in table if name not in _OF_DATABASE
    ]
    url = table.get("url")
    if url is None:
        return None
    if not isinstance(url, str) or not url.strip():
        flaws.append("[database] url: is no text that names a database")
        return None
    try:
        url = database_url(url, {}) or ""
    except ConfigurationError as error:
        flaws.append(f"[database] url: {error}")
        return None
    path = sqlite_path(url)
    return url if path is None or path.is_absolute() else sqlite_url(folder / path)


def _read_sources(tables: Any, folder: Path, flaws: list[str]) -> dict[str, SourceConfig]:
    if not isinstance(tables, dict):
        flaws.append("sources is no table: write [sources.NAME]")
        return {}
    sources: dict[str, SourceConfig] = {}
    for name, table in tables.items():
        where = f"[sources.{name}]"
        if not SOURCE_ID.fullmatch(name):
            flaws.append(
                f"{where}: cannot name a source: use lower-case letters, digits, '-' and '_', beginning "
                "with a letter or a digit"
            )
        elif not isinstance(table, dict):
            flaws.append(f"sources.{name} is no table: write {where}")
        elif "id" in table:
            flaws.append(f"{where} id: the id is the name of the table")
        else:
            try:
                sources[name] = SourceConfig.model_validate({**table, "id": name}, context={"folder": folder})
            except ValidationError as error:
                flaws += [f"{where} {flaw}" for flaw in flaws_of(error)]
    if pair := same_variables(sources):
        flaws.append(
            f"[sources.{pair[0]}] and [sources.{pair[1]}] would be told apart by no variable of the "
            "environment: rename one of them"
        )
    return sources


def same_variables(source_ids: Iterable[str]) -> tuple[str, str] | None:
    """Return two of the ids whose variables of the environment have the same names, if there are any."""
    seen: dict[str, str] = {}
    for source_id in source_ids:
        other = seen.setdefault(source_variable(source_id, ""), source_id)
        if other != source_id:
            return other, source_id
    return None
