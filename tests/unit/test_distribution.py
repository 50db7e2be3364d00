"""What there is to install is called ``mediasync-mirror``, and every text says so."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from mediasync.settings.distribution import DISTRIBUTION, find_version, install_command

ROOT = Path(__file__).parent.parent.parent
WRONG_NAME = re.compile(r"pip install\s+(?:-\S+\s+)*['\"]?mediasync(?!-mirror)\b|(?<![\w-])mediasync\[")
TEXTS = ("mediasync/**/*.py", "docs/**/*.md", "examples/**/*", "benchmarks/**/*", ".ci/*", "*.md", "*.toml")


def _texts() -> list[Path]:
    found = [path for pattern in TEXTS for path in ROOT.glob(pattern)]
    return [path for path in found if path.suffix in {".py", ".md", ".toml", ""} and path.is_file()]


def test_no_text_names_the_distribution_of_a_stranger():
    texts = _texts()
    assert {path.name for path in texts} >= {"README.md", "pyproject.toml", "quickstart.md", "run"}
    wrong = {
        str(path.relative_to(ROOT)): found.group()
        for path in texts
        if (found := WRONG_NAME.search(path.read_text(encoding="utf-8")))
    }
    assert not wrong


def test_the_names_that_are_wrong_are_found():
    for text in ("pip install mediasync", "pip install 'mediasync[cli]'", '"mediasync[test]"'):
        assert WRONG_NAME.search(text)
    for text in ("pip install 'mediasync-mirror[cli]'", "pip install '.[cli]'", "mediasync.toml"):
        assert not WRONG_NAME.search(text)


def test_the_installed_distribution_has_the_name_and_the_extras_that_messages_name():
    installed = metadata.metadata(DISTRIBUTION)
    extras = set(installed.get_all("Provides-Extra") or ())
    assert extras >= {"cli", "postgres", "testing", "all"}
    assert find_version() == installed["Version"]
    assert install_command("cli") == "pip install 'mediasync-mirror[cli]'"
