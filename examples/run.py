"""Sync ``examples/library`` into SQLite, and show the result."""

from __future__ import annotations

import subprocess
import sys

from environment import ROOT, python_with


def main() -> int:
    """Run the commands that README's first screen shows, and return the first exit code that is not 0."""
    mediasync = [python_with("cli"), "-m", "mediasync"]
    database = ["--database", str(ROOT / "examples" / "library.db")]
    for command in (
        ["sync", "nfo:examples/library"],
        ["status"],
        ["show", "Citizen Kane"],
        ["person", "Orson Welles"],
    ):
        print(f"\n$ mediasync {subprocess.list2cmdline(command)}", flush=True)
        code = subprocess.run([*mediasync, *command, *database], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
