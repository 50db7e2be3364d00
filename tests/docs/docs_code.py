"""The Python code of the documentation, written to files that a type checker reads."""

from __future__ import annotations

import textwrap
from pathlib import Path

import docs_pages

FRAGMENT = "a part of"
"""The beginning of the reason of a block that is only part of another program's file."""


def write_pages(folder: Path) -> list[Path]:
    """Write the Python code of each page into its own folder below *folder*, and return those folders.

    Those blocks of a page that are not files themselves share one namespace and may await: they become the
    body of one coroutine, in a file with the name of the folder.
    """
    return [written for page in docs_pages.pages() if (written := _write(page, folder))]


def _write(page: Path, folder: Path) -> Path | None:
    found = [
        block
        for block in docs_pages.blocks(page)
        if block.language == "python" and not (block.reason or "").startswith(FRAGMENT)
    ]
    if not found:
        return None
    target = folder / docs_pages.page_id(page).removesuffix(".md").replace("/", "_").replace("-", "_")
    target.mkdir(parents=True)
    body = "\n".join(block.text for block in found if block.title is None)
    if body.strip():
        code = f"async def page() -> None:\n{textwrap.indent(body, '    ')}"
        (target / f"{target.name}.py").write_text(code, encoding="utf-8")
    for block in found:
        if block.title is not None:
            (target / block.title).write_text(block.text, encoding="utf-8")
    return target
