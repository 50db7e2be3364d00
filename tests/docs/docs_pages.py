"""Parse the pages of the documentation: fenced blocks, headings, tables, links.

The word after the backticks says how a fenced block is tested:

``python``
    run; all blocks of a page run in order, in one namespace and one folder, and may use ``await``.
``console``
    the lines after ``$`` are run by a shell, and must succeed unless ``$ echo $?`` follows; the other
    lines are the expected output.
``sh``
    each line is run by a shell, and must succeed; its output is not shown.
``sql``
    run on a database with the contents of ``examples/library``.
``output``
    the expected output of the block before it.
``… title="NAME"``
    the contents of a file of that name, which is written and not run.
``text``
    drawings and similar.

In expected output ``…`` matches anything: alone on a line any lines, otherwise any text within the line.
``<!-- not run: reason -->`` before a block says that it is not run, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
ELLIPSIS = "…"
RUN = {"python", "console", "sh", "sql"}
NOT_CODE = {"text", "output", "json", "toml", "xml", "yaml", "ini"}

_FENCE = re.compile(r"(?P<ticks>`{3,})(?P<info>[^`]*)")
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
_HEADING = re.compile(r"(#{1,6}) +(.+)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: the page that contains it.
        line: the number of its first line inside the fence.
        language: the word after the backticks.
        title: the name of the file, if the block is one.
        text: the text inside the fence.
        reason: why it is not run; None if it is run.
    """

    page: Path
    line: int
    language: str
    title: str | None
    text: str
    reason: str | None

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return README and all pages of the docs."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def page_id(page: Path) -> str:
    """Return the name of a page for the id of a test."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    reason: str | None = None
    while number < len(lines):
        line = lines[number]
        number += 1
        if match := _NOT_RUN.fullmatch(line.strip()):
            reason = match[1]
            continue
        match = _FENCE.fullmatch(line.strip())
        if match is None:
            if line.strip():
                reason = None
            continue
        start = number
        while lines[number].strip() != match["ticks"]:
            number += 1
        indent = len(line) - len(line.lstrip())
        text = "".join(f"{inner[indent:]}\n" for inner in lines[start:number])
        number += 1
        language, _, rest = match["info"].strip().partition(" ")
        title = _TITLE.search(rest)
        found.append(Block(page, start + 1, language, title[1] if title else None, text, reason))
        reason = None
    return found


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"(?ms)^ *(`{3,})[^\n]*\n.*?^ *\1$", "", text)


def headings(page: Path) -> list[str]:
    """Return the headings of a page."""
    return [match[2].strip() for line in prose(page).splitlines() if (match := _HEADING.fullmatch(line))]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-")
        for heading in headings(page)
    }


def links(page: Path) -> list[str]:
    """Return the targets of the links of a page."""
    return _LINK.findall(prose(page))


def section(page: Path, heading: str) -> str:
    """Return the text below a heading, up to the next one of the same or a higher level."""
    kept: list[str] = []
    level = 0
    for line in page.read_text(encoding="utf-8").splitlines():
        match = _HEADING.fullmatch(line)
        if match and level and len(match[1]) <= level:
            break
        if level:
            kept.append(line)
        elif match and match[2].strip() == heading:
            level = len(match[1])
    assert level, f"{page_id(page)} has no heading {heading!r}"
    return "\n".join(kept)


def table(text: str, number: int = 0) -> list[list[str]]:
    """Return the rows of a table without its head."""
    tables: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            tables.append([])
            inside = True
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        tables[-1].append([cell.strip().replace("\\|", "|") for cell in cells])
    return tables[number][2:]


def first_codes(text: str, number: int = 0) -> list[str]:
    """Return the code in the first column of a table."""
    return [code for row in table(text, number) for code in re.findall(r"`([^`]+)`", row[0])]


def same(printed: str, shown: str) -> bool:
    """Return whether *printed* matches *shown*, in which an ellipsis matches anything."""
    pattern = ""
    for line in _lines(shown):
        if line.strip() == ELLIPSIS:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in line.split(ELLIPSIS)) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines
