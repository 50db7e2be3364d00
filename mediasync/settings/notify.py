"""The settings of notifications: whom to tell, of what, and in which form."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import NOTIFY_URL_VARIABLE, read_setting, read_value
from mediasync.settings.tables import read_table


class NotifyOn(StrEnum):
    """What to tell somebody about a run."""

    FAILURE = "failure"
    """It failed, or a library could not be read."""
    CONFIRMATION = "confirmation"
    """It would have removed so much that somebody has to confirm it."""
    CHANGES = "changes"
    """It changed what is stored."""


class NotifyFormat(StrEnum):
    """The form of a notification."""

    JSON = "json"
    NTFY = "ntfy"
    GOTIFY = "gotify"
    DISCORD = "discord"


DEFAULT_ON: Final = frozenset({NotifyOn.FAILURE, NotifyOn.CONFIRMATION})
"""What is told unless somebody chooses: what asks for an action."""


def check_notify_url(url: str) -> str:
    """Return the URL to notify.

    Raises:
        ValueError: if it cannot be used. The message does not repeat it, because such URLs are secrets.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() or not letter.isprintable() for letter in url.strip()):
        raise ValueError("is not the URL of a webhook: write https://HOST/PATH")
    return url.strip()


def format_of(url: str) -> NotifyFormat:
    """Return the form that a URL suggests by its shape.

    Example:
        >>> format_of("https://ntfy.sh/my-topic"), format_of("https://host/hooks/7")
        (<NotifyFormat.NTFY: 'ntfy'>, <NotifyFormat.JSON: 'json'>)
    """
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path.rstrip("/")
    if host == "ntfy.sh" or host.startswith("ntfy."):
        return NotifyFormat.NTFY
    if path.endswith("/message") and (host.startswith("gotify.") or "token=" in parts.query):
        return NotifyFormat.GOTIFY
    if "/api/webhooks/" in path and not path.endswith(("/slack", "/github")):
        return NotifyFormat.DISCORD
    return NotifyFormat.JSON


class NotifySettings(BaseModel):
    """Whom to tell about runs, and of what.

    Attributes:
        url: the webhook.
        url_file: a file with it.
        on: what is told.
        format: the form; None to choose it by the URL's shape.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr | None = None
    url_file: Path | None = None
    on: frozenset[NotifyOn] = Field(default=DEFAULT_ON, min_length=1)
    format: NotifyFormat | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(check_notify_url(value.get_secret_value()))

    @model_validator(mode="after")
    def _has_one_url(self) -> NotifySettings:
        if self.url is not None and self.url_file is not None:
            raise ValueError("url and url_file are both given: give only one of them")
        return self


def read_notify_table(table: Any, folder: Path) -> tuple[NotifySettings, list[str]]:
    """Return the settings of the table ``[notify]``, and what is wrong with it.

    Args:
        table: as it stands in the configuration file.
        folder: the file's folder, to which paths are relative.
    """
    found, flaws = read_table("notify", table, NotifySettings, "url = …")
    if found.url_file is not None:
        found = found.model_copy(update={"url_file": folder / found.url_file.expanduser()})
    return found, flaws


def find_notify_url(settings: NotifySettings, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the URL to notify, and where it was found; None if there is none.

    The environment overrides the configuration file.

    Raises:
        ConfigurationError: if its file cannot be read, or it is not a URL; the message does not repeat it.
    """
    url, where = read_setting(NOTIFY_URL_VARIABLE, environ), NOTIFY_URL_VARIABLE
    if url is not None and not environ.get(where):
        where = f"{where}_FILE"
    if url is None and settings.url_file is not None:
        url, where = read_value(settings.url_file, "[notify] url_file"), str(settings.url_file)
    if url is None and settings.url is not None:
        url, where = settings.url.get_secret_value(), "configuration file"
    if url is None:
        return None, ""
    try:
        return check_notify_url(url), where
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None
