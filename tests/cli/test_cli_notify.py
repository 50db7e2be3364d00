"""``mediasync sync --notify``, and the settings that do the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_runs import Beside, Run, write, write_movie
from support.webhooks import SECRET, Webhook

GONE = "away=nfo:/not/mounted"


def told(webhook: Webhook) -> list[tuple[Any, ...]]:
    """Return what was told of which source, sorted: the sources are synced at the same time."""
    return sorted((document["source_id"], document["event"]) for document in webhook.documents)


async def test_a_webhook_is_told_of_each_source(beside: Beside, library: Path) -> None:
    sync = ("sync", f"films=nfo:{library}", GONE, "--database", "media.db")
    async with Webhook() as webhook:
        by_default = await beside(*sync, "--notify", webhook.hook)
        assert (by_default.code, told(webhook)) == (3, [("away", "failure")])
        write_movie(library, "Thief (1981)", "<title>Thief</title>")
        on = ("--notify-on", "changes", "--notify-on", "failure")
        of_all = await beside(*sync, *on, "--notify", webhook.hook, "--json")
        again = await beside(*sync, *on, "--notify", webhook.hook)
        dry = await beside(*sync, "--dry-run", "--notify", webhook.hook)
    assert told(webhook) == [
        ("away", "failure"),
        ("away", "failure"),
        ("away", "failure"),
        ("films", "changes"),
    ]
    assert (again.code, dry.code) == (3, 3)
    [of_films] = [document for document in webhook.documents if document["source_id"] == "films"]
    [source] = [source for source in of_all.json["sources"] if source["source_id"] == "films"]
    assert of_films["report"]["counts"] == source["counts"]
    assert of_films["report"]["counts"]["added"] == 1
    for ended in (by_default, of_all, again, dry):
        assert SECRET not in ended.out + ended.err


async def test_the_settings_of_the_file_and_the_environment(
    beside: Beside, home: Path, library: Path
) -> None:
    async with Webhook() as webhook, Webhook() as other:
        write(home / "hook", f"{webhook.hook}\n")
        write(
            home / "mediasync.toml",
            f"""
            [notify]
            url_file = "hook"
            on = ["failure", "changes"]
            format = "gotify"
            [database]
            url = "media.db"
            [sources.films]
            folder = "{library}"
            """,
        )
        assert (await beside("sync")).code == 0
        write_movie(library, "Thief (1981)", "<title>Thief</title>")
        ended = await beside("sync", "-v", env={"MEDIASYNC_NOTIFY_URL": other.hook})
        assert ended.code == 0
    assert [document["title"] for document in webhook.documents] == ["mediasync: films changed"]
    [document] = other.documents
    assert document["message"] == "1 added: mediasync log --run 2"
    assert SECRET not in ended.out + ended.err
    assert "is not a variable" not in ended.err


async def test_a_webhook_that_fails_is_a_warning(beside: Beside, library: Path) -> None:
    async with Webhook(404) as webhook:
        ended = await beside(
            "sync",
            f"films=nfo:{library}",
            "--notify",
            webhook.hook,
            "--notify-on",
            "changes",
            "--quiet",
            "--log-format",
            "json",
        )
    assert ended.code == 0
    [line] = ended.err.splitlines()
    assert '"level": "warning"' in line
    assert f"films: nobody was notified: {webhook.url}: it answered with 404" in line
    assert SECRET not in ended.err + ended.out


async def test_sources_that_cannot_be_used_at_all_are_told(beside: Beside, home: Path) -> None:
    write(home / "mediasync.toml", "[sources.home]\nurl = 'plex+http://127.0.0.1:1'\ntoken_file = 'gone'\n")
    async with Webhook() as webhook:
        ended = await beside("sync", "--notify", webhook.hook)
    assert (ended.code, told(webhook)) == (2, [("home", "failure")])


def test_what_cannot_be_used(run: Run, home: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("sync", f"nfo:{library}", "--notify", f"ftp://{SECRET}")
    assert (ended.code, SECRET in ended.err) == (2, False)
    assert "--notify: the URL to notify is not the URL of a webhook: write https://HOST/PATH" in ended.err
    ended = run("sync", f"nfo:{library}", "--notify-on", "changes")
    assert (ended.code, "--notify-on: nobody is told" in ended.err) == (2, True)
    monkeypatch.setenv("MEDIASYNC_NOTIFY_URL_FILE", "gone")
    ended = run("sync", f"nfo:{library}")
    assert (ended.code, "6 items seen, 6 saved" in ended.out) == (0, True), (
        "the source is synced all the same"
    )
    assert "nobody is notified: MEDIASYNC_NOTIFY_URL_FILE: 'gone' cannot be read" in ended.err


@pytest.mark.parametrize(
    ("table", "flaw"),
    [
        ("[notify]\nurl = 'SECRET'", "[notify] url is not the URL of a webhook: write https://HOST/PATH"),
        ("[notify]\nlink = 'https://SECRET'", "[notify] link is not a setting; did you mean url?"),
        ("[notify]\non = []", "[notify] on: "),
        ("[notify]\non = ['never']", "[notify] on: "),
        ("[notify]\nformat = 'pigeon'", "[notify] format: "),
        ("[notify]\nurl = 'https://h/SECRET'\nurl_file = 'x'", "[notify] url and url_file are both given"),
        ("notify = 'https://SECRET'", "notify is not a table: write [notify], and url = … below it"),
        ("[notfy]\nurl = 'https://SECRET'", "notfy is not a setting; did you mean notify?"),
    ],
)
def test_a_flaw_in_the_table_is_named_without_the_url(run: Run, home: Path, table: str, flaw: str) -> None:
    write(home / "mediasync.toml", table.replace("SECRET", SECRET))
    ended = run("config", "check")
    assert (ended.code, flaw in ended.err) == (2, True), ended.err
    assert SECRET not in ended.err + ended.out


def test_config_check_shows_whom_is_notified(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(home / "mediasync.toml", f"[notify]\nurl = 'https://ntfy.sh/{SECRET}'\n")
    file.chmod(0o644)
    ended = run("config", "check")
    assert (
        "Notify         https://ntfy.sh (ntfy) of confirmation, failure; from configuration file\n"
        in ended.out
    )
    assert "every user of this machine can read url of [notify]" in ended.err
    document = run("config", "check", "--json").json["notify"]
    assert document == {
        "address": "https://ntfy.sh",
        "from": "configuration file",
        "format": "ntfy",
        "on": ["confirmation", "failure"],
        "error": None,
    }
    monkeypatch.setenv("MEDIASYNC_NOTIFY_URL_FILE", "gone")
    ended = run("config", "check")
    assert (ended.code, "'gone' cannot be read" in ended.out) == (2, True)
    assert SECRET not in ended.err + ended.out
