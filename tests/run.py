"""All tests, in one command; arguments are passed on to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

from environment import python_with  # noqa: E402

OF_A_WHOLE_RUN: Final = ("-n", "2", "--dist", "loadgroup", "--cov", "--cov-report=term", "--durations=40")


def main(arguments: list[str]) -> int:
    """Run pytest; without arguments all tests, in two processes, with the coverage that must be reached."""
    command = [python_with("test"), "-m", "pytest", *(arguments or OF_A_WHOLE_RUN)]
    # Hundreds of processes are started by the tests: none shall compile the package anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
