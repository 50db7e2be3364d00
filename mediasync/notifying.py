"""Telling people about runs, by a webhook."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from mediasync.backends.retrying import pause, retry_after
from mediasync.backends.transport import usual_trust
from mediasync.errors import ConfigurationError, LeaseError, NotNotified, SourceError
from mediasync.reports import SyncReport
from mediasync.settings.notify import DEFAULT_ON, NotifyFormat, NotifyOn, check_notify_url, format_of
from mediasync.text import storable, without_secrets
from mediasync.vocabulary import RunStatus

_TRIES: Final = 4
_TRY_SECONDS: Final = 10.0
_LONGEST_LIST: Final = 100
_LONGEST_MESSAGE: Final = 1_500
"""In characters. Discord takes 2,000, and ntfy 4,096 bytes."""
_FAILURES_IN_MESSAGE: Final = 5
_PASSING: Final = frozenset({408, 425, 429, *range(500, 600)})
_HTTPX_LOG: Final = logging.getLogger("httpx")


class Notifier:
    """Posts the reports of runs to a webhook.

    It takes plain webhooks, which get the whole report as JSON, and ntfy, Gotify and webhooks like those of
    Discord, which get its summary. The URL is a secret: errors and the log show only its host.

    Args:
        url: the webhook: any; ``https://ntfy.sh/TOPIC``; ``https://HOST/message?token=…`` of Gotify; or
            ``https://discord.com/api/webhooks/…``.
        on: what is told.
        format: the form; None to choose it by the URL's shape.
        patience: how many seconds one notification may take, with its retries.
        backoff: seconds of the first pause between two tries; each further pause is up to twice as long.
        client: an HTTP client to use instead of a new one. It is not closed.

    Attributes:
        format: the form of the notifications.

    Raises:
        ConfigurationError: if the URL cannot be used, or there is no such kind or form.

    Example:
        >>> notifier = Notifier("https://ntfy.sh/my-secret-topic", on=["failure", "changes"])
        >>> notifier
        Notifier('https://ntfy.sh', format='ntfy')
        >>> await notifier.notify("home", report)  # doctest: +SKIP
        True
    """

    def __init__(
        self,
        url: str,
        *,
        on: Collection[NotifyOn | str] = DEFAULT_ON,
        format: NotifyFormat | str | None = None,  # noqa: A002
        patience: float = 30.0,
        backoff: float = 1.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        try:
            self._url = httpx.URL(check_notify_url(url))
        except ValueError as error:
            raise ConfigurationError(f"the URL to notify {error}") from None
        except httpx.InvalidURL:
            raise ConfigurationError("the URL to notify is not valid: write https://HOST/PATH") from None
        try:
            self.format = format_of(url) if format is None else NotifyFormat(format)
            self._on = frozenset(map(NotifyOn, on))
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        if self.format is NotifyFormat.NTFY and not _topic(self._url):
            raise ConfigurationError("the URL to notify names no topic: write https://HOST/TOPIC")
        self._patience = patience
        self._backoff = backoff
        self._client = client

    def __repr__(self) -> str:
        return f"Notifier({self.shown!r}, format={self.format.value!r})"

    @property
    def shown(self) -> str:
        """The scheme and the host of the URL, which may be shown."""
        port = "" if self._url.port is None else f":{self._url.port}"
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        return f"{self._url.scheme}://{host}{port}"

    async def notify(self, source_id: str, outcome: SyncReport | Exception) -> bool:
        """Tell how a sync of a source ended, if that is to be told.

        Args:
            source_id: the source.
            outcome: what the sync returned or raised. A dry run is never told.

        Returns:
            Whether it was told.

        Raises:
            NotNotified: if it could not be told; the message says why.
        """
        event = self._event(outcome)
        if event is None:
            return False
        document = notification(source_id, event, outcome)
        url, body = self._addressed(document)
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        try:
            async with asyncio.timeout(self._patience):
                await self._send(url, content)
        except TimeoutError:
            reason = f"it did not take the notification within {self._patience:g} s"
            raise NotNotified(self.shown, reason) from None
        return True

    def _event(self, outcome: SyncReport | Exception) -> NotifyOn | None:
        """Return what there is to tell: the first kind that applies and is wanted."""
        if isinstance(outcome, Exception):
            found = [NotifyOn.FAILURE]
        elif outcome.dry:
            found = []
        else:
            libraries = {library.library_id for library in outcome.counts.libraries}
            applies = {
                NotifyOn.FAILURE: any(item_id in libraries for item_id, _ in outcome.failed),
                NotifyOn.CONFIRMATION: outcome.status is RunStatus.NEEDS_CONFIRMATION,
                NotifyOn.CHANGES: outcome.counts.has_changes,
            }
            found = [kind for kind, does in applies.items() if does]
        return next((kind for kind in found if kind in self._on), None)

    def _addressed(self, document: Mapping[str, Any]) -> tuple[httpx.URL, Mapping[str, Any]]:
        """Return the URL and the body of the request, in the form of the webhook."""
        title, message = document["title"], document["message"]
        urgent = document["event"] != NotifyOn.CHANGES
        match self.format:
            case NotifyFormat.NTFY:
                # Published as JSON, to the server itself, so that the title may hold any character.
                topic = _topic(self._url)
                root = self._url.copy_with(path=self._url.path.rstrip("/").removesuffix(topic))
                body = {"topic": topic, "title": title, "message": message, "priority": 4 if urgent else 3}
                return root, body
            case NotifyFormat.GOTIFY:
                return self._url, {"title": title, "message": message, "priority": 7 if urgent else 4}
            case NotifyFormat.DISCORD:
                return self._url, {"content": f"**{title}**\n{message}", "allowed_mentions": {"parse": []}}
            case _:
                return self._url, document

    async def _send(self, url: httpx.URL, content: bytes) -> None:
        trust = usual_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        client = self._client or httpx.AsyncClient(verify=trust)
        try:
            tries = 0
            while True:
                tries += 1
                reason, seconds = await self._try(client, url, content)
                if reason is None:
                    return
                if seconds is None or seconds > self._patience or tries == _TRIES:
                    tried = f" (tried {tries} times)" if tries > 1 else ""
                    raise NotNotified(self.shown, f"{reason}{tried}")
                await asyncio.sleep(max(seconds, pause(tries, self._backoff)))
        finally:
            if client is not self._client:
                await client.aclose()

    async def _try(
        self, client: httpx.AsyncClient, url: httpx.URL, content: bytes
    ) -> tuple[str | None, float | None]:
        """Send a notification once.

        Returns:
            Why it was not taken, and after how many seconds a retry may help, at least; None if it was taken,
            and None if a retry does not help.
        """
        headers = {"Content-Type": "application/json", "User-Agent": "mediasync"}
        try:
            request = client.build_request(
                "POST", url, content=content, headers=headers, timeout=_TRY_SECONDS
            )
            with _without_url_in_log(url, self.shown):
                response = await client.send(request, stream=True, follow_redirects=False)
                await response.aclose()
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            return _why(error), 0.0
        if response.is_success:
            return None, None
        answer = f"it answered with {response.status_code}"
        if response.has_redirect_location:
            return f"{answer}, a redirect, which is not followed: give the address that it leads to", None
        if response.status_code in _PASSING:
            return answer, retry_after(response.headers.get("Retry-After"), datetime.now(UTC)) or 0.0
        return f"{answer}: check the address and its token, and the format", None


def _topic(url: httpx.URL) -> str:
    return url.path.rstrip("/").rpartition("/")[2]


def _why(error: Exception) -> str:
    """Return why there is no answer."""
    if isinstance(error, httpx.TimeoutException):
        return f"it did not answer within {_TRY_SECONDS:g} s"
    words = without_secrets(str(error)) or type(error).__name__
    return f"there is no connection to it ({words}): is the address right?"


def notification(source_id: str, event: NotifyOn, outcome: SyncReport | Exception) -> dict[str, Any]:
    """Return the document that tells how a sync ended, without secrets.

    ``title`` and ``message`` are for people; ``text`` is both, under the name that Slack and Mattermost read.

    Args:
        source_id: the source.
        event: what is told.
        outcome: the report, or the error.
    """
    title, lines = _in_words(source_id, event, outcome)
    title, message = storable(f"mediasync: {title}"), _shortened(storable("\n".join(lines)))
    failed = isinstance(outcome, Exception)
    document = {
        "title": title,
        "message": message,
        "text": f"{title}\n{message}",
        "event": event.value,
        "source_id": source_id,
        "status": str(RunStatus.FAILED if isinstance(outcome, Exception) else outcome.status),
        "report": None if isinstance(outcome, Exception) else _report_document(outcome),
        "error": {"kind": type(outcome).__name__, "message": str(outcome)} if failed else None,
    }
    return {name: _storable(value) for name, value in document.items()}


def _in_words(source_id: str, event: NotifyOn, outcome: SyncReport | Exception) -> tuple[str, list[str]]:
    if isinstance(outcome, Exception):
        reason = outcome.reason if isinstance(outcome, SourceError | LeaseError) else str(outcome)
        return f"{source_id} was not synced", [reason or type(outcome).__name__]
    changes = outcome.counts.describe() or "nothing changed"
    failures = [
        f"{failure.id}: {failure.reason}" + (f"; {failure.advice}" if failure.advice else "")
        for failure in outcome.failures[:_FAILURES_IN_MESSAGE]
    ]
    if (left := len(outcome.failed) - len(failures)) > 0:
        failures.append(f"and {left:,} more: mediasync runs {outcome.run.id} --all")
    changes_line = (
        f"{changes}: mediasync log --run {outcome.run.id}" if outcome.counts.has_changes else changes
    )
    match event:
        case NotifyOn.FAILURE:
            return f"{source_id} was not synced to its end", [*failures, changes_line]
        case NotifyOn.CONFIRMATION:
            what = [f"{subject}: {text}" for subject, text in outcome.remarks[:_FAILURES_IN_MESSAGE]]
            title = f"{source_id} wants a confirmation"
            return title, ["Removals wait for it: mediasync status shows them", *what, changes_line]
        case _:
            return f"{source_id} changed", [changes_line, *failures]


def _report_document(report: SyncReport) -> dict[str, Any]:
    document = report.as_dict() | {"failed": [failure.as_dict() for failure in report.failures]}
    for name in ("failed", "problems", "remarks"):
        document[name] = document[name][:_LONGEST_LIST]
    return document


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


def _storable(value: Any) -> Any:
    """Return a value of JSON whose texts hold no secrets."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {key: _storable(inner) for key, inner in value.items()}
        case list():
            return [_storable(inner) for inner in value]
        case _:
            return value


@contextmanager
def _without_url_in_log(url: httpx.URL, shown: str) -> Iterator[None]:
    """Keep a URL out of the log of httpx, which writes that of each request at INFO."""

    def redact(record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                shown if isinstance(one, httpx.URL) and one == url else one for one in record.args
            )
        return True

    _HTTPX_LOG.addFilter(redact)
    try:
        yield
    finally:
        _HTTPX_LOG.removeFilter(redact)
