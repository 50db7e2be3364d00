"""Small folders made after public reports, each with the rows that are right.

A case is a folder of ``tests/data/cases/nfo``. It holds ``input``, or ``root`` beside what its links point
to, or ``before`` and ``after``, which are synced one after the other as one folder. Its ``expected.json``
names the report, the situation and the rows: items (only the given fields are compared), counts, remarks.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.mirror import rows, value

from mediasync import MediaSync, SyncReport

CASES = Path(__file__).parent.parent / "data" / "cases" / "nfo"

FIELDS = {
    "id": "remote_id",
    "t": "media_type",
    "title": "title",
    "s": "season_number",
    "e": "episode_number",
    "end": "episode_number_end",
    "year": "year",
    "path": "path",
    "date": "premiere_date",
}


def stages(case: Path) -> list[Path]:
    """Return the folders of a case; they are synced one after the other, each in place of the one before."""
    if (case / "before").is_dir():
        return [case / "before", case / "after"]
    return [case / ("input" if (case / "input").is_dir() else "root")]


async def sync_stages(ms: MediaSync, case: Path, folder: Path) -> SyncReport:
    """Sync all stages of a case and return the last report."""
    root = folder / "root"
    if (case / "root").is_dir():
        shutil.copytree(case, folder, symlinks=True, dirs_exist_ok=True)
    for stage in stages(case):
        if root.exists():
            shutil.rmtree(root)
        shutil.copytree(stage, root, symlinks=True)
        report = await ms.sync(f"case=nfo:{root}")
    return report


async def stored_items(ms: MediaSync) -> list[dict[str, Any]]:
    """Return all items with the values that a case may state, by the names that cases use."""
    found = []
    names = ", ".join(f"i.{column}" for column in FIELDS.values())
    upper = "LEFT JOIN media_items p ON p.id = i.parent_id LEFT JOIN media_items g ON g.id = p.parent_id"
    query = (
        f"SELECT i.id, coalesce(g.remote_id, p.remote_id), {names} FROM media_items i {upper} ORDER BY i.id"
    )
    for item_id, show, *values in await rows(ms, query):
        item = dict(zip(FIELDS, values, strict=True)) | {"show": show, "id": item_id.partition(":")[2]}
        item["ext"] = dict(
            await rows(ms, "SELECT provider, value FROM external_ids WHERE media_item_id = :id", id=item_id)
        )
        item["credits"] = [
            [credit.person_type, credit.person.name, credit.role]
            for credit in await ms.people.find_by_media_item(item_id)
        ]
        found.append(item)
    return found


async def differences(ms: MediaSync, report: SyncReport, expected: list[dict[str, Any]]) -> list[str]:
    """Return in words which expected rows are missing."""
    items = await stored_items(ms)
    wrong = []
    for row in expected:
        match row:
            case {"count_type": media_type, "n": number}:
                ok = sum(item["t"] == media_type for item in items) == number
            case {"people": names} | {"people_like": names}:
                query = "SELECT count(*) FROM people WHERE name LIKE :name"
                ok = [await value(ms, query, name=name) for name in names] == list(names.values())
            case {"remark": subject, "says": word}:
                ok = any(subject in who and word in text for who, text in report.remarks)
            case {"not_listed": library}:
                ok = any(run.library_id == f"case:{library}" and run.unseen for run in report.libraries)
            case {"rc": 0}:
                ok = not report.failed
            case _:
                ok = any(
                    all(item[field] == given for field, given in row.items() if field != "ext")
                    and row.get("ext", {}).items() <= item["ext"].items()
                    for item in items
                )
        if not ok:
            wrong.append(f"not as expected: {row}")
    return [*wrong, *(f"stored: {item}" for item in items)] if wrong else []


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
async def test_the_rows_of_a_case_are_right(name, tmp_path, file_url):
    case = CASES / name
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    async with MediaSync(file_url) as ms:
        report = await sync_stages(ms, case, tmp_path)
        wrong = await differences(ms, report, expected["rows"])
    assert not wrong, "\n".join(
        [expected["situation"], *wrong, *map(str, (*report.failed, *report.problems, *report.remarks))]
    )
