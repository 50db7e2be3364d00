"""Telling somebody about runs by a webhook: what, in which form, how often, and without secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from support.items import credit, movie
from support.webhooks import SECRET, Webhook

from mediasync import MediaSync, RunStatus, SyncReport
from mediasync.backends.base import Enumerated, Unreadable
from mediasync.errors import ConfigurationError, LibraryUnreadable, NotNotified, SourceUnreachable
from mediasync.notifying import Notifier
from mediasync.settings.notify import NotifyFormat, format_of
from mediasync.testing import FakeBackend

ALL = ("failure", "confirmation", "changes")
FAILED = SourceUnreachable("home", "GET /: no connection: is it running?")


async def report_of(*steps: Any, **options: Any) -> SyncReport:
    """Return the report of a sync of one library."""
    async with MediaSync("sqlite:///:memory:") as ms:
        return await ms.sync(FakeBackend({"films": steps, "more": [Enumerated(0)]}), **options)


async def changed() -> SyncReport:
    return await report_of(movie("1", credits=[credit("a")]), Enumerated(1))


async def document_of(outcome: SyncReport | Exception, *, on: Sequence[str] = ALL) -> dict[str, Any]:
    """Return what a plain webhook gets."""
    async with Webhook() as webhook:
        assert await Notifier(webhook.hook, on=on).notify("home", outcome)
    [document] = webhook.documents
    assert isinstance(document, dict)
    return document


async def test_a_plain_webhook_gets_the_whole_report() -> None:
    report = await report_of(
        movie("1", credits=[credit("a")]), Unreadable("2", "movie.nfo: Permission denied"), Enumerated(2)
    )
    async with Webhook() as webhook:
        assert await Notifier(webhook.hook, on=["changes"]).notify("home", report)
    [request] = webhook.requests
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert request.path == f"/{SECRET}"
    document = request.json()
    assert (document["event"], document["source_id"], document["status"]) == ("changes", "home", "succeeded")
    assert document["title"] == "mediasync: home changed"
    assert document["message"].startswith("1 added; 1 credit added: mediasync log --run 1\nfake:2: ")
    assert document["text"] == f"{document['title']}\n{document['message']}"
    assert document["report"]["counts"] == json.loads(json.dumps(report.counts.as_dict()))
    assert document["report"]["failed"] == [
        {
            "id": "fake:2",
            "reason": "movie.nfo: Permission denied",
            "advice": "let the user that runs mediasync read it",
        }
    ]
    assert document["error"] is None


async def test_a_run_that_failed() -> None:
    document = await document_of(FAILED, on=["failure"])
    assert (document["event"], document["status"], document["report"]) == ("failure", "failed", None)
    assert document["error"] == {"kind": "SourceUnreachable", "message": str(FAILED)}
    assert (document["title"], document["message"]) == ("mediasync: home was not synced", FAILED.reason)


async def test_a_library_that_failed_is_a_failure() -> None:
    error = LibraryUnreadable("fake", "fake:films", "Films", "is a disk not mounted?")
    document = await document_of(await report_of(movie("1"), error), on=["failure"])
    assert document["event"] == "failure"
    assert "(fake:films) could not be read: is a disk not mounted?" in document["message"]


async def test_a_run_that_wants_a_confirmation() -> None:
    report = await changed()
    waiting = replace(report, run=report.run.model_copy(update={"status": RunStatus.NEEDS_CONFIRMATION}))
    document = await document_of(waiting)
    assert (document["event"], document["status"]) == ("confirmation", "needs confirmation")
    assert document["title"] == "mediasync: home wants a confirmation"


async def test_only_what_was_chosen_is_told() -> None:
    report, unchanged = await changed(), await report_of(Enumerated(0))
    dry = await report_of(movie("1"), Enumerated(1), dry_run=True)
    async with Webhook() as webhook:
        asks_for_action = Notifier(webhook.hook)
        assert not await asks_for_action.notify("home", report), "changes are not told by default"
        assert await asks_for_action.notify("home", FAILED)
        changes = Notifier(webhook.hook, on=["changes"])
        assert not await changes.notify("home", FAILED)
        assert not await changes.notify("home", unchanged)
        assert not await changes.notify("home", dry)
        assert await changes.notify("home", report)
    assert [document["event"] for document in webhook.documents] == ["failure", "changes"]


@pytest.mark.parametrize(
    ("url", "format"),
    [
        ("https://ntfy.sh/topic", "ntfy"),
        ("https://ntfy.example.org/topic", "ntfy"),
        ("https://push.example/message?token=abc", "gotify"),
        ("https://gotify.example/message", "gotify"),
        ("https://discord.com/api/webhooks/1/abc", "discord"),
        ("https://chat.example/api/webhooks/1/abc", "discord"),
        ("https://discord.com/api/webhooks/1/abc/slack", "json"),
        ("https://hooks.slack.com/services/T/B/x", "json"),
        ("http://127.0.0.1:8080/", "json"),
    ],
)
def test_the_form_follows_from_the_url(url: str, format: str) -> None:  # noqa: A002
    assert format_of(url) == format
    assert Notifier(url).format == format
    assert Notifier(url, format="json").format is NotifyFormat.JSON


async def test_each_form() -> None:
    report = await changed()
    async with Webhook() as webhook:
        for form in ("ntfy", "gotify", "discord"):
            notifier = Notifier(webhook.hook, on=ALL, format=form)
            assert await notifier.notify("home", report)
            assert await notifier.notify("home", FAILED)
    title, message = "mediasync: home changed", "1 added; 1 credit added: mediasync log --run 1"
    first = webhook.documents[::2]
    assert first == [
        {"topic": SECRET, "title": title, "message": message, "priority": 3},
        {"title": title, "message": message, "priority": 4},
        {"content": f"**{title}**\n{message}", "allowed_mentions": {"parse": []}},
    ]
    assert [document.get("priority") for document in webhook.documents[1::2]] == [4, 7, None]
    assert [request.path for request in webhook.requests[::2]] == ["/", f"/{SECRET}", f"/{SECRET}"]
    assert all(request.first("token") == SECRET for request in webhook.requests)


@pytest.mark.parametrize("status", [500, 502, 429, 408])
async def test_what_passes_is_tried_again(status: int) -> None:
    async with Webhook(status, status, headers={"Retry-After": "0"}) as webhook:
        assert await Notifier(webhook.hook, backoff=0.001).notify("home", FAILED)
    assert len(webhook.requests) == 3
    assert len({request.body for request in webhook.requests}) == 1


async def test_a_webhook_that_stays_broken_is_given_up() -> None:
    async with Webhook(*[500] * 9) as webhook:
        with pytest.raises(NotNotified, match=r"answered with 500 \(tried 4 times\)"):
            await Notifier(webhook.hook, backoff=0.001).notify("home", FAILED)
    assert len(webhook.requests) == 4


async def test_a_refusal_is_not_tried_again() -> None:
    async with Webhook(404) as webhook:
        with pytest.raises(NotNotified, match="404: check the address"):
            await Notifier(webhook.hook).notify("home", FAILED)
    assert len(webhook.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with Webhook() as other, Webhook(status, headers={"Location": f"{other.url}/{SECRET}"}) as webhook:
        with pytest.raises(NotNotified, match="redirect") as caught:
            await Notifier(webhook.hook).notify("home", FAILED)
    assert (len(webhook.requests), other.requests) == (1, [])
    assert SECRET not in str(caught.value)


async def test_a_webhook_that_asks_to_wait_too_long_is_given_up_at_once() -> None:
    async with Webhook(429, headers={"Retry-After": "3600"}) as webhook:
        with pytest.raises(NotNotified, match="429"):
            await Notifier(webhook.hook).notify("home", FAILED)
    assert len(webhook.requests) == 1


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NotNotified, match="there is no connection to it") as caught:
            await Notifier(f"{url}/{SECRET}", backoff=0.001).notify("home", FAILED)
    assert (caught.value.address, SECRET in str(caught.value)) == (url, False)


async def test_its_time_is_bounded() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as client:
        notifier = Notifier(f"https://host/{SECRET}", patience=0.01, client=client)
        with pytest.raises(NotNotified, match=r"https://host: .* within 0\.01 s"):
            await notifier.notify("home", FAILED)
        assert not client.is_closed


async def test_no_secret_is_in_the_document_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = SourceUnreachable("home", "https://me:pa55word@host/x?X-Plex-Token=t0ken failed")
    report = await report_of(
        Unreadable("2", "GET https://me:pa55word@host/y?api_key=t0ken failed"), movie("1"), Enumerated(2)
    )
    async with Webhook(500) as webhook:
        notifier = Notifier(webhook.hook, on=ALL, backoff=0.001)
        for outcome in (error, report):
            assert await notifier.notify("home", outcome)
    for secret in ("pa55word", "t0ken", SECRET):
        assert not any(secret in request.body.decode() for request in webhook.requests)
    assert "HTTP Request: POST http://127.0.0.1:" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in repr(notifier) + notifier.shown


@pytest.mark.parametrize(
    "url", [f"ftp://host/{SECRET}", SECRET, "", f"http:///{SECRET}", f"https://h/a {SECRET}"]
)
def test_a_url_that_cannot_be_used_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write https://HOST/PATH") as caught:
        Notifier(url)
    assert SECRET not in str(caught.value)


def test_a_form_or_a_kind_that_there_is_not() -> None:
    for wrong in ({"format": "pigeon"}, {"on": ["never"]}):
        with pytest.raises(ConfigurationError, match="is not a valid Notify"):
            Notifier("https://host/hook", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="names no topic"):
        Notifier("https://ntfy.sh/")


async def test_user_and_token_are_sent_to_ntfy() -> None:
    async with Webhook() as webhook:
        url = webhook.url.replace("http://", "http://me:word@")
        assert await Notifier(f"{url}/base/{SECRET}/?auth=abc", format="ntfy").notify("home", FAILED)
    [request] = webhook.requests
    assert (request.path, request.first("auth")) == ("/base/", "abc")
    assert request.headers["authorization"] == "Basic bWU6d29yZA=="
    assert request.json()["topic"] == SECRET


async def test_long_lists_and_messages_are_cut() -> None:
    bad = [Unreadable(f"{number}", "x" * 400) for number in range(150)]
    document = await document_of(await report_of(movie("a"), *bad, Enumerated(151)))
    assert len(document["report"]["failed"]) == 100
    assert document["report"]["counts"]["failed"] == 150
    assert len(document["message"]) == 1_500
