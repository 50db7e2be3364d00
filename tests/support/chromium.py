"""A Chromium for the tests in a browser: the one that is installed, driven by Playwright.

``python tests/support/chromium.py install`` installs it where apt is and one is root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Final

INSTALL: Final = "python tests/support/chromium.py install"
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
"""Options with which it starts as root, and looks for nothing outside."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Return the program; None if it is not installed."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def why_not() -> str:
    """Return why no browser can be started here; empty if one can."""
    if find_chromium():
        return ""
    return f"no Chromium is installed; as root on Debian or Ubuntu: {INSTALL}"


def install() -> int:
    """Install Chromium with apt, if one may.

    Returns:
        The exit code: 0 if it can be started now.
    """
    if find_chromium() is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", "-qq", *command], env=environment, stdout=subprocess.DEVNULL, check=False
            )
    print(why_not() or f"Chromium is {find_chromium()}")
    return 0 if find_chromium() else 1


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        sys.exit(f"usage: {INSTALL}")
    sys.exit(install())
