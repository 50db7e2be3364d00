"""Recorded answers of real servers, where they are: each is read without a traceback, and nobody is lost.

They are not part of the project. ``MEDIASYNC_TEST_CAPTURES`` names their folder; by default it is
``../shared/captures``, seen from the repository.
"""

import json
import os
from pathlib import Path

import pytest

from mediasync.backends.base import Found
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.plex.client import list_entries, open_container
from mediasync.backends.plex.parse import (
    Listed,
    is_placeholder,
    parse_details,
    parse_library,
    parse_listed,
)
from mediasync.errors import SourceUnreadable
from mediasync.saving.normal import normal_item
from mediasync.vocabulary import MediaType

ROOT = Path(__file__).resolve().parent.parent.parent
CAPTURES = Path(os.environ.get("MEDIASYNC_TEST_CAPTURES", ROOT.parent / "shared" / "captures")) / "plex"
FILES = sorted(CAPTURES.rglob("*.json")) if CAPTURES.is_dir() else []
PEOPLE = ("Role", "Director", "Writer", "Producer")
NOW = 4_000_000_000

pytestmark = pytest.mark.skipif(not FILES, reason=f"there are no recorded answers of Plex in {CAPTURES}")


def read_items(answer):
    """Return (entry, item, problems) of each film, show, season and episode of an answer."""
    container = open_container(answer, "home", "GET /recorded")
    if "Metadata" not in container.data:  # an answer about something else: hubs, clients, sections
        return []
    found = []
    for entry in list_entries(container, "Metadata", "home", "GET /recorded"):
        if entry.get("type") not in list(MediaType) or is_placeholder(entry):
            continue
        listed = parse_listed(MediaType(entry["type"]), entry, lambda _: True, NOW)
        assert isinstance(listed, Listed), listed
        finding = parse_details(listed, entry, refreshing=False)
        assert isinstance(finding, Found), finding
        found.append((entry, finding.item, finding.problems))
    return found


def decoded(path):
    """Return the JSON of a file, or None if it is none in UTF-8."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CAPTURES).as_posix())
def test_everybody_in_a_recorded_answer_is_read(path):
    answer = decoded(path)
    if not isinstance(answer, dict) or not isinstance(answer.get("MediaContainer"), dict):
        with pytest.raises(SourceUnreadable):
            open_container(answer, "home", "GET /recorded")
        return
    for entry, item, problems in read_items(answer):
        assert problems == ()
        tags = [(name, tag) for name in PEOPLE for tag in entry.get(name) or []]
        assert [credit.person.name for credit in item.credits] == [tag["tag"] for _, tag in tags]
        assert [credit.role or "" for credit in item.credits] == [tag.get("role", "") for _, tag in tags]
        normal = normal_item(item, "home", "home:1")
        assert len(normal.credits) + normal.repeats == len(tags)
        people = {
            tag.get("tagKey") or (f"{name} {tag['id']}" if "id" in tag else tag["tag"]) for name, tag in tags
        }
        assert len({row[0] for row in normal.credits}) == len(people)


def test_the_libraries_of_a_recorded_answer():
    answers = [decoded(path) for path in FILES if path.name in ("libraries.json", "library.json")]
    for answer in answers:
        sections = answer["MediaContainer"].get("Directory", [])
        container = open_container(answer, "home", "GET /library/sections")
        entries = list_entries(container, "Directory", "home", "GET /library/sections")
        found = [library for entry in entries if (library := parse_library(JsonRecord(entry), "home"))]
        assert len(found) == sum(section.get("type") in ("movie", "show") for section in sections)


def test_there_is_something_to_compare():
    items = [
        item
        for path in FILES
        if (answer := decoded(path)) and "MediaContainer" in answer
        for item in read_items(answer)
    ]
    assert sum(len(item.credits) for _, item, _ in items) > 500
