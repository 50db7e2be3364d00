"""The code in the README, the docs and the examples passes type checkers, so that users can copy it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import docs_code
import pytest
from docs_pages import ROOT

pytestmark = pytest.mark.slow

NOT_READ = (
    "alembic", "charset_normalizer", "cryptography", "hypothesis", "idna", "jinja2", "jsonpath_ng", "numpy",
    "rich", "sqlalchemy", "sqlglot", "trio", "werkzeug",
)  # fmt: skip
"""Packages that others import, and no page. To read them took as long as everything else."""

SETTINGS = f"""\
[mypy]
strict = True
follow_imports = silent

[mypy-asyncpg.*,benchmarks.*,pandas.*]
ignore_missing_imports = True

[mypy-{",".join(f"{name}.*" for name in NOT_READ)}]
follow_imports = skip
"""

IMPORTED = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)


def needs(checker: str) -> pytest.MarkDecorator:
    """Skip a test if a checker, which is part of the extra ``dev``, is not installed."""
    return pytest.mark.skipif(find_spec(checker) is None, reason=f"{checker} is not installed")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders with the code of each page, and one with the examples."""
    root = tmp_path_factory.mktemp("pages")
    examples = root / "examples"
    examples.mkdir()
    for path in (ROOT / "examples").glob("*.py"):
        shutil.copy(path, examples)
    return [*docs_code.write_pages(root), examples]


@pytest.fixture
def in_docs(tmp_path: Path) -> dict[str, str]:
    """An environment in which the checkers find the tested package."""
    return {**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(tmp_path / "cache")}


@needs("mypy")
def test_mypy_accepts_the_code_of_the_docs_and_examples(
    folders: list[Path], in_docs: dict[str, str], tmp_path: Path
) -> None:
    settings = tmp_path / "mypy.ini"
    settings.write_text(SETTINGS, encoding="utf-8")
    for files in without_two_of_a_name(folders):
        imported = {name for path in files for name in IMPORTED.findall(path.read_text(encoding="utf-8"))}
        assert imported.isdisjoint(NOT_READ)
        printed = check(
            ["mypy", "--config-file", str(settings), *map(str, files)], folders[0].parent, in_docs
        )
        assert f"Success: no issues found in {len(files)} source" in printed, printed


@needs("pyright")
def test_pyright_accepts_the_code_of_the_docs_and_examples(
    folders: list[Path], in_docs: dict[str, str]
) -> None:
    root = folders[0].parent
    places = [{"root": folder.name, "extraPaths": [str(ROOT)]} for folder in folders]
    settings = {"executionEnvironments": places, "pythonVersion": "3.11"}
    (root / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    printed = check(["pyright", "-p", str(root), "--pythonpath", sys.executable], root, in_docs)
    assert "0 errors, 0 warnings" in printed, printed


def without_two_of_a_name(folders: list[Path]) -> list[list[Path]]:
    """Return the files of all folders in as few lists as can be: a checker takes each module's name once."""
    lists: list[dict[str, Path]] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.py"))):
        if (free := next((names for names in lists if path.name not in names), None)) is None:
            lists.append(free := {})
        free[path.name] = path
    return [list(names.values()) for names in lists]


def check(command: list[str], folder: Path, environ: dict[str, str]) -> str:
    """Run a checker in a folder, and return its output."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return f"{done.stdout}{done.stderr}"
