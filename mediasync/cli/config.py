"""``mediasync config``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, heading, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_EVERY_COMMAND, PLAIN, with_options
from mediasync.errors import ConfigurationError
from mediasync.settings.database import sqlite_path
from mediasync.settings.environment import source_variable
from mediasync.settings.file import with_environment
from mediasync.settings.file_search import FILE_NAME, user_folder
from mediasync.settings.notify import NotifySettings, find_notify_url
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.settings.web import DEFAULT_HOST, DEFAULT_PORT, WebSettings, find_web_token
from mediasync.wording import duration

config = typer.Typer(add_completion=False, **PLAIN)


@config.callback(invoke_without_command=True)
def look(context: typer.Context) -> None:
    """Look at the configuration."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@config.command("check")
@with_options(*OF_EVERY_COMMAND)
def check_configuration(context: CommandContext) -> int:
    """Show the settings from mediasync.toml and the environment, without secrets.

    Contacts no server and writes nothing. It shows where each secret was found, and what is wrong with a
    source: an unknown setting, a file that cannot be read, a missing token.

    [bold]Examples[/bold]
      mediasync config check
      mediasync config check --config /etc/mediasync.toml --json

    [bold]Exit codes[/bold]
      0  everything can be used
      2  something cannot be used, and is shown; or wrong usage
    """
    configuration, url, mode = context.configuration(), context.url(), f"{context.mode():04o}"
    is_file = sqlite_path(url) is not None
    warnings = [*configuration.warnings, *context.warn_of_variables(configuration.sources)]
    documents = [_document(source, context.environ) for source in configuration.sources.values()]
    notify = _notify_document(configuration.notify, context.environ)
    web = _web_document(configuration.web, context.environ)
    flawed = any(document and document["error"] for document in (*documents, notify, web))
    code = ExitCode.USAGE if flawed else ExitCode.OK
    if context.out.as_json:
        context.out.dump(
            {
                "path": str(configuration.path.absolute()) if configuration.path else None,
                "database": {**database_document(url), "file_mode": mode if is_file else None},
                "notify": notify,
                "web": web,
                "sources": documents,
                "warnings": warnings,
            }
        )
        return code
    rows = [("Configuration", _where(configuration.path)), ("Database", database_name(url))]
    if is_file:
        rows.append(("File mode", f"{mode} if the file is made"))
    if notify is not None:
        rows.append(("Notify", notify["error"] or _notify_line(notify)))
    if web is not None:
        rows.append(("Website", web["error"] or _web_line(web)))
    context.out.print(columns(rows), *(part for document in documents for part in _lines(document)))
    if not documents:
        context.out.print(plain("No source is configured."))
    return code


def _notify_document(settings: NotifySettings, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the JSON document of whom to notify, without the secret part of the URL; None if nobody."""
    on = sorted(settings.on)
    try:
        url, where = find_notify_url(settings, environ)
        if url is None:
            return None
        from mediasync.notifying import Notifier

        notifier = Notifier(url, on=settings.on, format=settings.format)
    except ConfigurationError as error:
        return {"address": None, "from": None, "format": None, "on": on, "error": str(error)}
    return {
        "address": notifier.shown,
        "from": where,
        "format": notifier.format.value,
        "on": on,
        "error": None,
    }


def _notify_line(notify: Mapping[str, Any]) -> str:
    return f"{notify['address']} ({notify['format']}) of {', '.join(notify['on'])}; from {notify['from']}"


def _web_document(settings: WebSettings, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the JSON document of the website, without its password; None if nothing says anything of it."""
    error = where = None
    try:
        token, where = find_web_token(None, settings, environ)
    except ConfigurationError as flaw:
        token, error = None, str(flaw)
    if settings == WebSettings() and token is None and error is None:
        return None
    return {
        "host": settings.host or DEFAULT_HOST,
        "port": DEFAULT_PORT if settings.port is None else settings.port,
        "root_path": settings.root_path,
        "trusted_proxies": list(settings.trusted_proxies),
        "hosts": list(settings.hosts),
        "cors_origins": list(settings.cors_origins),
        "public_metrics": settings.public_metrics,
        "pictures": None if settings.pictures is None else str(settings.pictures),
        "pictures_mb": settings.pictures_mb,
        "token_from": where or None,
        "error": error,
    }


def _web_line(web: Mapping[str, Any]) -> str:
    host = f"[{web['host']}]" if ":" in web["host"] else web["host"]
    token = f"password from {web['token_from']}" if web["token_from"] else "no password"
    return f"http://{host}:{web['port']}{web['root_path']}/; {token}"


def _where(path: Path | None) -> str:
    if path is not None:
        return str(path.absolute())
    folder = user_folder()
    return f"none: there is no {FILE_NAME} here" + (f", nor in {folder}" if folder else "")


def _document(source: SourceConfig | FlawedSource, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON document of a source."""
    if isinstance(source, FlawedSource):
        return {"id": source.id, "kind": None, "secrets": {}, "error": str(source.error)}
    error = None
    try:
        source = with_environment(source, environ)
        source.check_login()
    except ConfigurationError as flaw:
        error = str(flaw)
    return {
        "id": source.id,
        "kind": str(source.kind),
        "name": source.name,
        "url": source.url,
        "folder": None if source.folder is None else str(source.folder.absolute()),
        "username": source.username,
        "secrets": {secret: _where_secret_is(source, secret, environ) for secret in source.spec.secrets},
        "key_file": None if source.key_file is None else str(source.key_file.absolute()),
        "headers": list(source.headers),
        "verify": source.verify if isinstance(source.verify, bool) else str(source.verify),
        "timezone": source.timezone,
        "include": list(source.include),
        "exclude": list(source.exclude),
        "every": None if source.every is None else source.every.total_seconds(),
        "at": [moment.isoformat("auto" if moment.second else "minutes") for moment in source.at],
        "error": error,
    }


def _where_secret_is(source: SourceConfig, secret: str, environ: Mapping[str, str]) -> str | None:
    name = source_variable(source.id, secret)
    for found in (f"{name}_FILE", name):
        if environ.get(found):
            return found
    file = getattr(source, f"{secret}_file")
    if file is not None:
        return str(file.absolute())
    return None if getattr(source, secret) is None else "configuration file"


def _lines(document: dict[str, Any]) -> list[RenderableType]:
    rows: list[tuple[str, str]] = []
    for name in ("name", "url", "folder", "username"):
        if document.get(name):
            rows.append((name, document[name]))
    for secret, where in document["secrets"].items():
        name = source_variable(document["id"], secret)
        rows.append((secret, f"from {where}" if where else f"none: {name} or {name}_FILE may give it"))
    if document.get("key_file"):
        rows.append(("key", f"from {document['key_file']}"))
    if document.get("headers"):
        rows.append(("headers", ", ".join(document["headers"])))
    if document.get("verify", True) is not True:
        rows.append(("verify", document["verify"] or "no: certificates are not checked"))
    if document.get("every"):
        rows.append(("every", duration(timedelta(seconds=document["every"]))))
    for name in ("timezone", "include", "exclude", "at"):
        if value := document.get(name):
            rows.append((name, value if isinstance(value, str) else ", ".join(value)))
    if document["error"]:
        rows.append(("error", document["error"]))
    title = heading(f"{document['id']} ({document['kind']})" if document["kind"] else document["id"])
    return [plain(""), title, columns(rows, indent=2)]
