"""What the messages of servers hint at: recorded ones, those that documents tell of, and any JSON at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.jellyfin import events as jellyfin
from mediasync.backends.kodi.events import KodiEvents
from mediasync.backends.plex import events as plex
from mediasync.backends.waiting_hints import MAX_WAITING_KEYS, WaitingHints
from mediasync.hints import Hint, HintKind

CHANGED, REMOVED, SOURCE = HintKind.CHANGED, HintKind.REMOVED, HintKind.SOURCE
RECORDED = Path(__file__).parents[1] / "data" / "events"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


# Jellyfin


def library_changed(**data: object) -> dict[str, object]:
    return {"MessageType": "LibraryChanged", "Data": data}


@pytest.mark.parametrize("version", ["10.11", "12.0"])
def test_a_recorded_scan_of_jellyfin_hints_at_its_items(version: str) -> None:
    messages = recorded(f"jellyfin-{version}")
    assert [
        jellyfin.find_keep_alive(message) for message in messages if jellyfin.find_keep_alive(message)
    ] == [60.0]
    hints = [hint for message in messages for hint in jellyfin.parse_hints(message)]
    assert [hint.kind for hint in hints] == [CHANGED, REMOVED]
    [data] = [message["Data"] for message in messages if message["MessageType"] == "LibraryChanged"]
    changed, removed = (set(hint.remote_ids) for hint in hints)
    named = {*data["ItemsAdded"], *data["ItemsUpdated"]}
    assert changed == named - set(data["CollectionFolders"])
    assert len(changed) > 100
    assert removed == set(data["ItemsRemoved"])


@pytest.mark.parametrize(
    ("data", "hints"),
    [
        ({"ItemsAdded": ["A" * 32]}, [Hint(CHANGED, ("a" * 32,))]),
        (
            {"ItemsUpdated": ["0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"]},
            [Hint(CHANGED, ("0f1e2d3c4b5a69788796a5b4c3d2e1f0",))],
        ),
        ({"ItemsUpdated": ["17"], "ItemsAdded": [17]}, [Hint(CHANGED, ("17",))]),
        ({"ItemsRemoved": ["1"], "ItemsAdded": ["1"]}, [Hint(CHANGED, ("1",)), Hint(REMOVED, ("1",))]),
        ({"ItemsUpdated": ["9"], "CollectionFolders": ["9"]}, [Hint(SOURCE)]),
        ({"FoldersAddedTo": ["5"], "ItemsAdded": []}, [Hint(SOURCE)]),
        ({"FoldersRemovedFrom": ["5"]}, [Hint(SOURCE)]),
        ({"ItemsAdded": [], "IsEmpty": True}, []),
        ({"ItemsAdded": "1"}, []),
        ({"ItemsAdded": [None, True, 1.5, "", "../x", "a b", "x" * 65, {}]}, []),
    ],
)
def test_the_lists_of_jellyfin(data: dict[str, object], hints: list[Hint]) -> None:
    assert jellyfin.parse_hints(library_changed(**data)) == hints


def test_only_a_change_of_the_library_is_a_hint() -> None:
    for kind in ("UserDataChanged", "RefreshProgress", "ServerRestarting", "Sessions", None):
        assert jellyfin.parse_hints({"MessageType": kind, "Data": {"ItemsAdded": ["1"]}}) == []


@pytest.mark.parametrize(
    ("data", "seconds"),
    [(60, 60.0), (0, 0.1), (-1, 0.1), (10**9, 3600.0), ("60", None), (True, None), (None, None)],
)
def test_how_long_jellyfin_puts_up_with_silence(data: object, seconds: float | None) -> None:
    assert jellyfin.find_keep_alive({"MessageType": "ForceKeepAlive", "Data": data}) == seconds


# Plex


def timeline(*entries: dict[str, object]) -> dict[str, object]:
    full = [
        {"identifier": "com.plexapp.plugins.library", "type": 1, "itemID": "7", "sectionID": "1", **entry}
        for entry in entries
    ]
    return {"NotificationContainer": {"type": "timeline", "size": len(full), "TimelineEntry": full}}


def activity(
    event: str = "ended", kind: str = "library.refresh.items", **context: object
) -> dict[str, object]:
    notification = {"event": event, "uuid": "u", "Activity": {"uuid": "u", "type": kind, "Context": context}}
    return {"NotificationContainer": {"type": "activity", "size": 1, "ActivityNotification": [notification]}}


@pytest.mark.parametrize(
    ("entry", "hints"),
    [
        *(({"state": 5, "type": kind}, [Hint(CHANGED, ("7",))]) for kind in (1, 2, 3, 4)),
        ({"state": 5, "itemID": 7}, [Hint(CHANGED, ("7",))]),
        ({"state": "5", "type": "1"}, [Hint(CHANGED, ("7",))]),
        ({"state": 9}, [Hint(REMOVED, ("7",))]),
        ({"state": 9, "type": -1}, [Hint(REMOVED, ("7",))]),
        ({"state": 5, "type": -1}, []),
        ({"state": 1}, [Hint(CHANGED, ("7",), seconds=plex.UNFINISHED_SECONDS)]),
        *(({"state": state}, []) for state in (0, 2, 3, 4, 6, None, True, [5])),
        *(({"state": 5, "type": kind}, []) for kind in (8, 9, 10, 13, 15, 18, None)),
        ({"state": 5, "identifier": "com.plexapp.plugins.iva"}, []),
        *(({"state": 5, "itemID": key}, []) for key in (None, "", "7,8", "../7", "7" * 65)),
    ],
)
def test_the_states_of_plex(entry: dict[str, object], hints: list[Hint]) -> None:
    assert plex.parse_hints(timeline(entry)) == hints
    # A server-sent event has one entry, and no container.
    [alone] = timeline(entry)["NotificationContainer"]["TimelineEntry"]  # type: ignore[index]
    assert plex.parse_hints({"TimelineEntry": alone}) == hints


def test_items_of_one_notification_share_a_hint() -> None:
    message = timeline({"state": 5}, {"state": 9, "itemID": "8"}, {"state": 5, "itemID": "9"}, {"state": 5})
    assert plex.parse_hints(message) == [Hint(CHANGED, ("7", "9")), Hint(REMOVED, ("8",))]


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        (activity(key="/library/metadata/38800"), ("38800",)),
        (activity(key="/library/metadata/38800/children", refreshed=True), ("38800",)),
        (activity(key="/library/metadata/1", refreshed=False, analyzed=True), ("1",)),
        # somebody opened the page of an item
        (
            activity(
                key="/library/metadata/1", accessible=True, exists=True, analyzed=False, refreshed=False
            ),
            (),
        ),
        (activity("updated", key="/library/metadata/1"), ()),
        (activity(kind="library.update.section", key="/library/metadata/1"), ()),
        (activity(key="/library/sections/2"), ()),
        (activity(key=f"/library/metadata/{'1' * 65}"), ()),
        (activity(key=None), ()),
        (activity(), ()),
        (
            {
                "NotificationContainer": {
                    "type": "playing",
                    "PlaySessionStateNotification": [{"ratingKey": "1"}],
                }
            },
            (),
        ),
    ],
)
def test_the_activities_of_plex(message: dict[str, object], keys: tuple[str, ...]) -> None:
    assert plex.parse_hints(message) == ([Hint(CHANGED, keys)] if keys else [])


def test_a_deleted_item_of_plex_is_hinted_at_whatever_follows() -> None:
    waiting = WaitingHints()
    for state in (9, 5, 1):
        waiting.add(plex.parse_hints(timeline({"state": state})))
    assert waiting.take() == [Hint(REMOVED, ("7",)), Hint(CHANGED, ("7",))]


# Kodi


def notified(name: str, **data: object) -> dict[str, object]:
    return {
        "jsonrpc": "2.0",
        "method": f"VideoLibrary.{name}",
        "params": {"sender": "xbmc", "data": data or None},
    }


def hints_of(*messages: dict[str, object]) -> list[Hint]:
    kodi = KodiEvents()
    return [hint for message in messages for hint in kodi.parse_hints(message)]


def test_recorded_notifications_of_kodi() -> None:
    kodi, heard = KodiEvents(), {}
    for step in recorded("kodi-20"):
        waiting = WaitingHints()
        for message in step["messages"]:
            waiting.add(kodi.parse_hints(message))
        heard[int(step["step"].partition(".")[0])] = waiting.take()
    show = heard.pop(13)
    assert heard == {
        1: [Hint(SOURCE)],  # a scan found a film
        2: [],  # a scan found nothing
        3: [Hint(REMOVED, ("movie/44",)), Hint(CHANGED, ("movie/44",))],  # a refresh
        6: [],  # a film was played
        8: [Hint(REMOVED, ("movie/44",))],
        9: [Hint(SOURCE)],
        10: [],
        11: [Hint(SOURCE)],  # a cleaning removed a film
        12: [Hint(SOURCE)],
        14: [Hint(REMOVED, ("movie/22",)), Hint(CHANGED, ("movie/45",))],
        16: [],
    }
    removed, changed = show  # the refresh of a show gives it and its episodes other ids
    assert (removed.kind, changed.kind) == (REMOVED, CHANGED)
    assert (removed.remote_ids[-1], changed.remote_ids[0]) == ("show/3", "show/6")
    assert len(removed.remote_ids) == len(changed.remote_ids) == 10


def test_what_a_scan_changes_is_one_hint_at_its_end() -> None:
    update = notified("OnUpdate", item={"id": 7, "type": "movie"}, transaction=True)
    removal = notified("OnRemove", id=3, type="episode", transaction=True)
    begin, end = notified("OnScanStarted"), notified("OnScanFinished")
    assert hints_of(begin, update, removal) == []
    assert hints_of(begin, update, update, end, begin, end) == [Hint(SOURCE)]
    assert hints_of(notified("OnCleanStarted"), removal, notified("OnCleanFinished")) == [Hint(SOURCE)]


def test_a_scan_whose_beginning_was_not_heard_may_have_changed_anything() -> None:
    assert hints_of(notified("OnScanFinished")) == [Hint(SOURCE)]
    assert hints_of(notified("OnScanStarted"), notified("OnCleanFinished")) == [Hint(SOURCE)]


@pytest.mark.parametrize(
    ("message", "hints"),
    [
        (notified("OnUpdate", item={"id": 7, "type": "movie"}), [Hint(CHANGED, ("movie/7",))]),
        (notified("OnUpdate", item={"id": 7, "type": "tvshow"}, added=True), [Hint(CHANGED, ("show/7",))]),
        (notified("OnUpdate", id=7, type="episode"), [Hint(CHANGED, ("episode/7",))]),  # before Kodi 17
        (notified("OnUpdate", item={"id": 7, "type": "movie"}, playcount=1), []),
        (
            notified("OnUpdate", item={"id": 7, "type": "movie"}, playcount=0, added=True),
            [Hint(CHANGED, ("movie/7",))],
        ),
        (notified("OnUpdate", item={"id": 7, "type": "musicvideo"}), []),
        (notified("OnUpdate", item={"id": -1, "type": "movie"}), []),
        (notified("OnUpdate", item={"id": 2**31, "type": "movie"}), []),
        (notified("OnUpdate", item={"id": "7", "type": ["movie"]}), []),
        (notified("OnUpdate", item=7), []),
        (notified("OnUpdate"), []),
        (notified("OnRemove", id=7, type="season"), [Hint(REMOVED, ("season/7",))]),
        (notified("OnRefresh"), [Hint(SOURCE)]),
        (notified("OnExport"), []),
        ({"method": "AudioLibrary.OnUpdate", "params": {"data": {"id": 1, "type": "song"}}}, []),
        ({"id": 1, "jsonrpc": "2.0", "result": "pong"}, []),
    ],
)
def test_the_notifications_of_kodi(message: dict[str, object], hints: list[Hint]) -> None:
    assert hints_of(message) == hints


# All of them


@given(JSON, st.sampled_from(["LibraryChanged", "timeline", "VideoLibrary.OnUpdate"]))
def test_any_json_is_understood_or_hints_at_nothing(inner: Any, name: str) -> None:
    messages = [
        inner,
        {"MessageType": name, "Data": inner},
        {"MessageType": name, "Data": {"ItemsAdded": inner, "CollectionFolders": inner}},
        {"NotificationContainer": inner},
        {"NotificationContainer": {"TimelineEntry": inner, "ActivityNotification": inner}},
        {"ActivityNotification": {"event": "ended", "Activity": inner}},
        {
            "TimelineEntry": {
                "identifier": "com.plexapp.plugins.library",
                "type": inner,
                "state": inner,
                "itemID": inner,
            }
        },
        {"method": name, "params": inner},
        {"method": name, "params": {"data": inner}},
        {"method": name, "params": {"data": {"item": inner}}},
    ]
    for message in messages:
        for hint in (*jellyfin.parse_hints(message), *plex.parse_hints(message), *hints_of(message)):
            assert all(0 < len(key) <= 64 for key in hint.remote_ids)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(HintKind), st.lists(st.integers(0, 5), max_size=4), st.sampled_from([0.0, 30.0])
        )
    )
)
def test_hints_that_wait_lose_nothing(given_hints: list[tuple[HintKind, list[int], float]]) -> None:
    waiting = WaitingHints()
    hints = [Hint(kind, tuple(map(str, keys)), seconds=seconds) for kind, keys, seconds in given_hints]
    waiting.add(hints)
    taken = waiting.take()
    assert waiting.take() == []
    if any(hint.kind is SOURCE for hint in hints):
        assert taken == [Hint(SOURCE, seconds=min(hint.seconds for hint in hints if hint.kind is SOURCE))]
        return
    soonest: dict[tuple[HintKind, str], float] = {}
    for hint in hints:
        for key in hint.remote_ids:
            soonest[hint.kind, key] = min(hint.seconds, soonest.get((hint.kind, key), 30.0))
    assert soonest == {(hint.kind, key): hint.seconds for hint in taken for key in hint.remote_ids}


def test_more_keys_than_may_wait_become_one_hint_about_the_source() -> None:
    waiting = WaitingHints()
    waiting.add([Hint(CHANGED, tuple(map(str, range(MAX_WAITING_KEYS))))])
    waiting.add([Hint(REMOVED, ("one more",))])
    waiting.add([Hint(CHANGED, ("and another",))])
    assert waiting.take() == [Hint(SOURCE)]
