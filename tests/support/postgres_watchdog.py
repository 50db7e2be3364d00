"""The process that removes the tests' own PostgreSQL server, however the tests end.

The tests start it and hold the other end of its standard input, which the system closes for them even if they
are killed. It then stops the server and deletes the server's folder. It needs only the standard library.

Usage: ``postgres_watchdog.py FOLDER PG_CTL [USER]``
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def main(folder: Path, pg_ctl: str, user: str | None) -> None:
    """Wait for the end of the input, stop the server whose data is in *folder*, and delete the folder."""
    sys.stdin.buffer.read()
    data = folder / "data"
    if (data / "postmaster.pid").exists():
        stop = [pg_ctl, "-w", "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
