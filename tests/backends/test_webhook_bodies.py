"""The webhooks that `mediasync.testing.webhooks` makes have the shape that the real servers send."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest

from mediasync.models import Episode
from mediasync.testing import Catalogue, FakeEmby, FakeJellyfin, FakePlex, make_catalogue
from mediasync.testing.webhooks import Webhook, emby_webhook, jellyfin_webhook, plex_webhook


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue(films=2, shows=1, seasons=1, episodes=2)


def parts_of(hook: Webhook) -> dict[str, tuple[str, Any]]:
    """Return the content type and the content of each part of a form."""
    head = f"Content-Type: {hook.headers['Content-Type']}\r\n\r\n".encode()
    parts = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + hook.body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        parts[str(name)] = (part.get_content_type(), part.get_payload(decode=True))
    return parts


async def test_plex_sends_a_form_with_a_payload_and_a_picture(catalogue: Catalogue) -> None:
    async with FakePlex(catalogue, token="t", name="Home", machine_id="abc") as server:
        film = catalogue.titled("Film 1")
        parts = parts_of(plex_webhook(server, film))
        assert {name: kind for name, (kind, _) in parts.items()} == {
            "payload": "application/json",
            "thumb": "image/jpeg",
        }
        payload = json.loads(parts["payload"][1])
        assert payload["event"] == "library.new"
        assert payload["Server"] == {"title": "Home", "uuid": "abc"}
        assert payload["Metadata"]["ratingKey"] == film.remote_id
        assert payload["Metadata"]["librarySectionID"] == 1
        assert "Player" not in payload
        assert parts_of(plex_webhook(server, film, picture=False)).keys() == {"payload"}
        played = json.loads(parts_of(plex_webhook(server, film, event="media.play"))["payload"][1])
        assert "Player" in played


@pytest.mark.parametrize("hyphens", [False, True])
async def test_the_plugin_of_jellyfin_sends_all_properties(catalogue: Catalogue, hyphens: bool) -> None:
    async with FakeJellyfin(catalogue) as server:
        film = catalogue.titled("Film 1")
        added = json.loads(jellyfin_webhook(server, film, "added", hyphens=hyphens).body)
        assert added["NotificationType"] == "ItemAdded"
        assert added["ItemId"].replace("-", "") == server.item_id(film.remote_id)
        assert ("-" in added["ItemId"]) is hyphens
        assert (added["ItemType"], added["Name"]) == ("Movie", "Film 1")
        assert {name: added[f"Provider_{name}"] for name in film.provider_ids} == film.provider_ids
        episode = next(item for item in catalogue.items() if isinstance(item, Episode))
        gone = json.loads(jellyfin_webhook(server, episode, "removed", hyphens=hyphens).body)
        assert gone["NotificationType"] == "ItemDeleted"
        assert gone["EpisodeNumber"] == episode.episode_number
        assert gone["SeasonNumber"] == episode.season_number
        assert gone["SeriesId"].replace("-", "") == server.item_id(catalogue.titled("Show 1").remote_id)


async def test_emby_sends_an_event_about_an_item(catalogue: Catalogue) -> None:
    async with FakeEmby(catalogue) as server:
        film = catalogue.titled("Film 1")
        hook = emby_webhook(server, film, "added")
        assert hook.headers["Content-Type"].startswith("application/json")
        added = json.loads(hook.body)
        assert (added["Event"], added["Item"]["Id"], added["Item"]["Type"]) == (
            "library.new",
            film.remote_id,
            "Movie",
        )
        assert added["Server"]["Id"] == server.server_id
        assert json.loads(emby_webhook(server, film, "removed").body)["Event"] == "library.deleted"
