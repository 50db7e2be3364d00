"""A table that is only added to ``schema.sql`` is copied, and its view is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.copies import PAIRS, change, filled, new_urls
from support.engines import Engine
from support.mirror import rows, value, write

from mediasync import MediaSync, copy_mirror
from mediasync.database import schema
from mediasync.errors import DatabaseError

pytestmark = pytest.mark.slow

NEW_TABLES = """
CREATE TABLE item_note (
    note_key   INTEGER PRIMARY KEY,
    item_key   INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    author_key INTEGER REFERENCES person (person_key),
    words      TEXT    NOT NULL,
    stars      REAL
);
CREATE TABLE tag (
    tag_key    INTEGER PRIMARY KEY,
    parent_key INTEGER REFERENCES tag (tag_key),
    id         TEXT    NOT NULL UNIQUE
);
CREATE TABLE item_tag (
    item_key   INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    tag_key    INTEGER NOT NULL REFERENCES tag (tag_key),
    PRIMARY KEY (item_key, tag_key)
) WITHOUT ROWID;
"""
NEW_VIEW = """
CREATE VIEW item_tags AS
SELECT i.id AS media_item_id, t.id AS tag_id
FROM item_tag x JOIN media_item i ON i.item_key = x.item_key JOIN tag t ON t.tag_key = x.tag_key;
"""
NEW_ROWS = (
    "INSERT INTO item_note (item_key, author_key, words, stars) "
    "SELECT i.item_key, p.person_key, 'seen', 4.5 FROM media_item i JOIN person p ON p.id = 'home:a' "
    "WHERE i.id = 'home:rich'",
    "INSERT INTO item_note (item_key, words) SELECT item_key, 'soon' FROM media_item WHERE id = 'home:x'",
    "INSERT INTO tag (tag_key, id) VALUES (70, 'z')",
    "INSERT INTO tag (tag_key, parent_key, id) VALUES (80, 70, 'y')",
    "INSERT INTO tag (tag_key, parent_key, id) VALUES (90, 80, 'a')",
    "INSERT INTO item_tag (item_key, tag_key) SELECT item_key, 90 FROM media_item WHERE id = 'home:m1'",
)
SHOWN = (
    "SELECT n.note_key, i.id AS item_id, p.id AS person_id, n.words, n.stars FROM item_note n "
    "JOIN media_item i ON i.item_key = n.item_key LEFT JOIN person p ON p.person_key = n.author_key "
    "ORDER BY n.note_key",
    "SELECT t.id, p.id AS parent_id FROM tag t LEFT JOIN tag p ON p.tag_key = t.parent_key ORDER BY t.id",
    "SELECT media_item_id, tag_id FROM item_tags ORDER BY media_item_id",
)


@pytest.mark.parametrize("engines", PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
async def test_a_new_table_costs_nothing(
    engines: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = new_urls(engines, tmp_path)
    text = schema.schema_text().replace("-- section: views", f"{NEW_TABLES}\n-- section: views") + NEW_VIEW
    monkeypatch.setattr(schema, "schema_text", lambda: text)
    await filled(urls[0])
    async with MediaSync(urls[0]) as origin:
        for sql in NEW_ROWS:
            assert await write(origin, sql) == 1
        stored = [await rows(origin, query) for query in SHOWN]
        key_of_tag = "SELECT tag_key FROM tag WHERE id = 'a'"
        first = await value(origin, key_of_tag)
    assert stored[1:] == [[("a", "y"), ("y", "z"), ("z", None)], [("home:m1", "a")]]
    report = await copy_mirror(*urls)
    assert report.copied["tag"] == 3
    assert report.rows["item_tags"] == 1
    async with MediaSync(urls[1]) as target:
        assert [await rows(target, query) for query in SHOWN] == stored
        assert await value(target, key_of_tag) != first, "each database makes its own storage keys"
        assert await write(target, NEW_ROWS[1]) == 1, "the engine numbers new rows after the copied ones"
    assert (await copy_mirror(*urls)).copied["tag"] == 0
    await change(urls[1], "DELETE FROM item_tag")
    with pytest.raises(DatabaseError, match="item_tags lacks rows of 'home:m1'"):
        await copy_mirror(*urls)
