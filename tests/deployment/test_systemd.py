"""The units of systemd: accepted by systemd, and allowed no more than they need."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from deployment_files import DEPLOY, check_command, program, unit

SERVICES = ("mediasync.service", "mediasync-sync.service")
UNITS = (*SERVICES, "mediasync-sync.timer")
INSTALLED = "/opt/mediasync/bin/mediasync"
EXPOSURE = 20
"""The exposure that systemd computes, times ten: 100 is a service that may do everything."""

# The services differ in when and what they run, not in what they may do.
OF_EACH = {
    "Type", "ExecStart", "LoadCredential", "Restart", "RestartSec", "RestartPreventExitStatus",
    "TimeoutStopSec", "TimeoutStartSec", "Nice", "IOSchedulingClass",
}  # fmt: skip


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "cat"},
    )


def values(name: str, key: str) -> list[str]:
    return [value for _, found, value in unit(name) if found == key]


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(INSTALLED, sys.executable))
    done = analyze("verify", "--man=no", *(str(tmp_path / name) for name in UNITS))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardly_exposed(name: str) -> None:
    done = analyze(
        "security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", str(DEPLOY / "systemd" / name)
    )
    if "nrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze does not examine files")
    assert done.returncode == 0, done.stdout


def test_both_services_may_do_the_same() -> None:
    first, second = (
        [(key, value) for section, key, value in unit(name) if section == "Service" and key not in OF_EACH]
        for name in SERVICES
    )
    assert first == second


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_a_command_of_mediasync(name: str) -> None:
    [start] = values(name, "ExecStart")
    path, *words = shlex.split(start)
    assert path == INSTALLED
    check_command(words)


def test_the_password_is_a_credential() -> None:
    [credential] = values("mediasync.service", "LoadCredential")
    name, path = credential.split(":")
    [start] = values("mediasync.service", "ExecStart")
    assert f"--token-file ${{CREDENTIALS_DIRECTORY}}/{name}" in start
    assert path.startswith("/etc/mediasync/")


def test_a_service_writes_in_its_own_folders_alone() -> None:
    for name in SERVICES:
        environment = dict(value.split("=", 1) for value in values(name, "Environment"))
        for variable, path in environment.items():
            if variable != "MEDIASYNC_CONFIG":
                assert path.startswith(("/var/lib/mediasync", "/var/cache/mediasync")), variable
        [user] = values(name, "User")
        assert f"u {user} - " in (DEPLOY / "systemd" / "mediasync.sysusers").read_text(encoding="utf-8")


def test_the_timer_comes_back() -> None:
    [when] = values("mediasync-sync.timer", "OnCalendar")
    done = analyze("calendar", "--iterations=5", "--base-time=2026-05-01 00:00:00 UTC", when)
    if done.returncode:
        assert "base-time" in done.stderr
        pytest.skip("this systemd-analyze takes no time to begin at")
    times = re.findall(r"(\d\d:\d\d):00 UTC", done.stdout)
    assert times[:4] == ["00:17", "06:17", "12:17", "18:17"]


def test_a_refusal_to_gain_rights_stops_nothing(tmp_path: Path) -> None:
    """MemoryDenyWriteExecute, as the kernel does it where it can: nothing that is used needs such memory."""
    if sys.platform != "linux":
        pytest.skip("only Linux has it")
    code = (
        "import ctypes, sys\n"
        "if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)\n"
        "from mediasync.cli import main\nsys.exit(main())"
    )
    library = DEPLOY.parent / "examples" / "library"
    done = subprocess.run(
        [sys.executable, "-c", code, "sync", f"nfo:{library}", "--database", str(tmp_path / "media.db")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("this kernel does not have it")
    assert done.returncode == 0, done.stderr
