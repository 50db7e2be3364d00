"""A virtual environment with mediasync, created once and recreated when its requirements change."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_with(extra: str) -> str:
    """Return the interpreter of an environment in which the checkout is installed in place with *extra*.

    The environment is the folder ``.venv`` of the checkout, or the one that ``MEDIASYNC_VENV`` names.

    Args:
        extra: one of the optional dependencies of ``pyproject.toml``.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - the interpreter that runs this may be older
        sys.exit(f"mediasync needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    folder = Path(os.environ.get("MEDIASYNC_VENV", ROOT / ".venv"))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / f"installed-{extra}"
    if not python.exists() or not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing mediasync with [{extra}] into {folder} …", file=sys.stderr)
        try:
            venv.create(folder, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit("this Python cannot make virtual environments; on Debian: apt install python3-venv")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--editable", f"{ROOT}[{extra}]"], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)
