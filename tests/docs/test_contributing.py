"""What contributors read says what the repository has."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import docs_pages
import pytest
from docs_pages import DOCS, ROOT, section, table

sys.path.insert(0, str(ROOT))

import dev

CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
ARCHITECTURE: Final = DOCS / "explanation" / "architecture.md"


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [CONTRIBUTING, ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in docs_pages.links(page):
        assert "://" in link or (ROOT / link.partition("#")[0]).is_file(), link


def test_commands_are_those_of_the_program() -> None:
    text = section(CONTRIBUTING, "One command for all checks")
    assert set(re.findall(r"^\| `dev\.py (\w+)`", text, re.MULTILINE)) == dev.COMMANDS.keys()


def test_markers_are_those_of_pytest() -> None:
    markers = [marker.partition(":")[0] for marker in project()["tool"]["pytest"]["ini_options"]["markers"]]
    assert docs_pages.first_codes(section(CONTRIBUTING, "Tests")) == markers


def test_architecture_names_every_room() -> None:
    package = ROOT / "mediasync"
    rooms = {
        path.stem for path in package.iterdir() if not path.name.startswith("_") and path.suffix != ".typed"
    }
    named = {word for row in table(section(ARCHITECTURE, "The rooms")) for word in re.findall(r"\w+", row[0])}
    assert rooms <= named, rooms - named


def test_contributing_names_files_that_exist() -> None:
    text = docs_pages.prose(CONTRIBUTING)
    for path in re.findall(r"`((?:tests|docs|benchmarks|examples)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    rooms = r"(?:saving|settings|cli|database|testing|repositories|library|syncing|backends)"
    for path in re.findall(rf"`({rooms}/[\w./-]*)`", text):
        assert (ROOT / "mediasync" / path).exists(), path


def test_supported_pythons() -> None:
    classifiers = project()["project"]["classifiers"]
    versions = [text.rpartition(" ")[2] for text in classifiers if re.search(r":: 3\.\d+$", text)]
    assert tuple(versions) == dev.PYTHONS
    assert project()["project"]["requires-python"] == f">={dev.PYTHONS[0]}"


def test_the_lock_holds_every_direct_requirement() -> None:
    locked = {
        dev.name_of(line).lower().replace("_", "-")
        for line in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    }
    for extra in ("dev", "docs", "test", "cli", "postgres", "testing"):
        for requirement in dev.requirements(extra):
            name = dev.name_of(requirement).lower()
            assert name == "mediasync-mirror" or name in locked, name


def test_the_lock_names_no_registry() -> None:
    assert "://" not in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
