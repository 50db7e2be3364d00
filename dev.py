"""What a contributor runs: ``python dev.py check`` before each commit; ``python dev.py`` lists the commands.

It uses the environment that it is run with, which needs the extra ``dev``: ``pip install -e '.[dev]'``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent
PYTHONS: Final = ("3.11", "3.12", "3.13")
"""The supported versions of Python. A test compares them with ``pyproject.toml``."""

NEXT_PYTHON: Final = "3.14"
"""Tried as well where it is installed."""

SMOKE_PACKAGES: Final = ("fastapi", "hypothesis", "pytest", "pytest-asyncio", "pytest-timeout")
"""What the unit tests need, of the extra ``test``."""


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the checkout, and end this program if it fails."""
    words = [str(word) for word in command]
    print(f"$ {' '.join(words)}", flush=True)
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def tool(module: str, *arguments: str, **environment: str) -> None:
    """Run a tool that is installed in this environment."""
    run(sys.executable, "-m", module, *arguments, **environment)


def check() -> None:
    """Linter, formatting, types, layers of imports, and the site of the docs."""
    tool("ruff", "check", ".")
    tool("ruff", "format", "--check", ".")
    tool("mypy")
    run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()")
    docs()


def fix() -> None:
    """Let the linter mend what it can, and format."""
    tool("ruff", "check", "--fix", ".")
    tool("ruff", "format", ".")


def test() -> None:
    """The quick tests: all that are not marked slow."""
    tool("pytest", "-q", "-n", "2", "--dist", "loadgroup", "-m", "not slow")


def docs() -> None:
    """Build the site of the docs into ``site/``; a broken link or reference is an error."""
    # Material for MkDocs advertises its successor at each start.
    tool("mkdocs", "build", "--strict", "--quiet", NO_MKDOCS_2_WARNING="1")


def reference() -> None:
    """Make what is made from other files: parts of docs/reference, the man page, the shell completion."""
    run(sys.executable, "tools/schema_reference.py", PYTHONPATH=str(ROOT))
    run(sys.executable, "tools/http_api_reference.py", PYTHONPATH=str(ROOT))
    run(sys.executable, "tools/command_reference.py", PYTHONPATH=str(ROOT))


def pythons() -> None:
    """Installation, unit tests and main job on every other supported Python that is installed here."""
    for version in (*PYTHONS, NEXT_PYTHON):
        if version == f"{sys.version_info.major}.{sys.version_info.minor}":
            continue
        python = next(interpreters(version), None)
        if python is None:
            print(f"Python {version}: not installed here", flush=True)
        else:
            smoke(version, python)


def interpreters(version: str) -> Iterator[Path]:
    """Yield the interpreters of a version that run: on the path, or installed by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")),
    ]
    for path in filter(None, found):
        done = subprocess.run([path, "--version"], capture_output=True, check=False)
        if done.returncode == 0:
            yield Path(path)


def smoke(version: str, python: Path) -> None:
    """Install the checkout for one Python, run the unit tests, and sync the examples."""
    print(f"\nPython {version}: {python}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run(python, "-m", "venv", folder)
        own = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        packages = [each for each in requirements("test") if name_of(each) in SMOKE_PACKAGES]
        run(own, "-m", "pip", "install", "--quiet", f"{ROOT}[cli,postgres,testing]", *packages)
        # Installed, not from the checkout: the folder that holds the package is not on the path.
        run(own, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")
        database = Path(folder) / "smoke.db"
        run(own, "-P", "-m", "mediasync", "sync", "nfo:examples/library", "--database", database)
        run(own, "-P", "-m", "mediasync", "check", "--database", database)


def lock() -> None:
    """Write ``requirements-dev.txt``: exact versions of everything that a development environment holds."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        own = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        run(own, "-m", "pip", "install", "--quiet", f"{ROOT}[dev]")
        done = subprocess.run(
            [own, "-m", "pip", "freeze", "--exclude", "mediasync-mirror"],
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    lines = [line for line in done.stdout.splitlines() if "==" in line]
    head = "# Made by 'python dev.py lock', with Python {}.{}. Do not edit.\n".format(*sys.version_info[:2])
    (ROOT / "requirements-dev.txt").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def requirements(extra: str) -> list[str]:
    """Return what ``pyproject.toml`` says that an extra needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"][extra])


def name_of(requirement: str) -> str:
    """Return the name of the package that a requirement is about."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


COMMANDS: Final[dict[str, Callable[[], None]]] = {
    "check": check,
    "fix": fix,
    "test": test,
    "docs": docs,
    "reference": reference,
    "pythons": pythons,
    "lock": lock,
}


def main(arguments: list[str]) -> int:
    """Run the commands that are named, in order."""
    if not arguments or not set(arguments) <= COMMANDS.keys():
        print("usage: python dev.py COMMAND…\n")
        for name, command in COMMANDS.items():
            print(f"  {name:<9} {command.__doc__}")
        return 2
    for name in arguments:
        COMMANDS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
