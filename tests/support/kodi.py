"""A real Kodi for tests: headless, from an empty home folder, on loopback.

``python tests/support/kodi.py install`` installs what is needed where apt is and one is root; nothing else
here installs anything. ``… run LIBRARY`` starts one on a library, tells in a line of JSON where it is, and
waits for Enter.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PACKAGES: Final = ("kodi", "kodi-bin", "xvfb", "xauth", "libgl1-mesa-dri", "libegl1", "libgl1")
INSTALL: Final = "python tests/support/kodi.py install"
_BINARIES: Final = ("/usr/lib/*/kodi/kodi.bin", "/usr/lib/*/kodi/kodi-x11", "/usr/lib/kodi/kodi*bin")
_FOLDERS: Final = {"movies": (2147483647, 1), "tvshows": (0, 0)}
_WAIT: Final = 60.0


def find_kodi() -> Path | None:
    """Return Kodi's program, None where Kodi, the display it needs or a C compiler is not installed."""
    if not shutil.which("Xvfb") or not shutil.which("cc"):
        return None
    for pattern in _BINARIES:
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            return path
    return None


def why_not() -> str:
    """Return why no Kodi can be started here; empty where one can."""
    if find_kodi():
        return ""
    return f"no Kodi (or no Xvfb, or no C compiler) is installed; as root on Debian or Ubuntu: {INSTALL}"


def install() -> int:
    """Install Kodi with apt, if one may.

    Returns:
        The exit code: 0 if Kodi can be started now.
    """
    if find_kodi() is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = [*PACKAGES, *(() if shutil.which("cc") else ("gcc", "libc6-dev"))]
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *words], env=environment, check=False)
    if reason := why_not():
        print(reason, file=sys.stderr)
    return 1 if why_not() else 0


class RealKodi:
    """A running Kodi with its own home folder and web server; use it in ``with``.

    Args:
        library: a folder with ``movies`` and ``tvshows`` in it; it is read as it is, with local NFO files.
        folder: an empty folder for Kodi's home and logs.

    Attributes:
        url: of the web server, without ``/jsonrpc``.
        username: for it.
        password: for it, made for this run.
        tcp_port: where it announces its notifications, over TCP and as a WebSocket.
        first_scan: how many seconds its first scan of the library took.
    """

    username = "kodi"

    def __init__(self, library: Path, folder: Path) -> None:
        self.password = secrets.token_hex(12)
        self._library = library
        self._folder = folder
        self._port, self.tcp_port, self._events_port = _free_ports(3)
        self.url = f"http://127.0.0.1:{self._port}"
        self.first_scan = 0.0
        self._display: subprocess.Popen[bytes] | None = None
        self._kodi: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()

    def call(self, method: str, /, **params: Any) -> Any:
        """Call a method over HTTP and return its result.

        Raises:
            AssertionError: if it is answered with an error.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
        request = urllib.request.Request(f"{self.url}/jsonrpc", body, headers)
        with urllib.request.urlopen(request, timeout=_WAIT) as answer:
            decoded = json.load(answer)
        assert "error" not in decoded, (method, decoded)
        return decoded["result"]

    def scan(self) -> None:
        """Scan the library for what is new, and return when Kodi says that it has finished."""
        with self.announces("VideoLibrary.OnScanFinished"):
            self.call("VideoLibrary.Scan", showdialogs=False)

    def clean(self) -> None:
        """Let Kodi forget what is gone from the disk, and return when it says that it has finished."""
        with self.announces("VideoLibrary.OnCleanFinished"):
            self.call("VideoLibrary.Clean", showdialogs=False)

    @contextlib.contextmanager
    def announces(self, notification: str) -> Iterator[None]:
        """Run the body, and wait then until Kodi has announced *notification* since it began."""
        with socket.create_connection(("127.0.0.1", self.tcp_port), timeout=_WAIT) as events:
            # What a connection is not subscribed to yet is lost: an answer proves that Kodi serves it.
            events.sendall(b'{"jsonrpc":"2.0","id":1,"method":"JSONRPC.Ping"}')
            heard = events.recv(65536)
            assert b"pong" in heard, heard
            yield
            deadline = time.monotonic() + _WAIT
            while notification.encode() not in heard:
                assert time.monotonic() < deadline, f"Kodi did not announce {notification}"
                heard = heard[-256:] + events.recv(65536)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until *holds*, asking again and again."""
        deadline = time.monotonic() + _WAIT
        while not holds():
            assert time.monotonic() < deadline, "what was waited for did not come about"
            time.sleep(0.05)

    def _start(self) -> None:
        program = find_kodi()
        assert program is not None, why_not()
        self._write_settings()
        shim = self._folder / "loopback.so"
        source = Path(__file__).with_name("loopback.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._folder / "home"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "DISPLAY": self._start_display(),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "LD_PRELOAD": str(shim),
        }
        with (self._folder / "kodi.out").open("wb") as out:
            self._kodi = subprocess.Popen(
                [program, "--windowing=x11"],
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(self._answers)
        self._set_content()
        began = time.perf_counter()
        self.scan()
        self.first_scan = time.perf_counter() - began

    def _start_display(self) -> str:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as number, (self._folder / "display.out").open("wb") as out:
            try:
                words = ["-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
                self._display = subprocess.Popen(
                    ["Xvfb", *words, "+extension", "GLX"],
                    pass_fds=[writing],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            finally:
                os.close(writing)
            text = number.readline().decode().strip()
        assert text, f"no display: {(self._folder / 'display.out').read_text()}"
        return f":{text}"

    def _answers(self) -> bool:
        assert self._kodi is not None
        assert self._kodi.poll() is None, f"Kodi ended: {(self._folder / 'kodi.out').read_text()[-2000:]}"
        try:
            ready = self.call("JSONRPC.Ping") == "pong" and any(self._databases())
            with socket.create_connection(("127.0.0.1", self.tcp_port), timeout=_WAIT):
                return ready
        except (urllib.error.URLError, OSError):
            return False

    def _databases(self) -> list[Path]:
        return sorted((self._folder / "home/.kodi/userdata/Database").glob("MyVideos*.db"))

    def _set_content(self) -> None:
        """Do what "Set content" of the screen does: say what lies in which folder."""
        database = sqlite3.connect(self._databases()[-1], timeout=_WAIT)
        with contextlib.closing(database), database:
            for name, (recursive, own_folders) in _FOLDERS.items():
                row = (f"{self._library / name}/", name, "metadata.local", recursive, own_folders)
                database.execute(
                    "insert into path (strPath, strContent, strScraper, scanRecursive, useFolderNames,"
                    " noUpdate, exclude, allAudio) values (?, ?, ?, ?, ?, 0, 0, 0)",
                    row,
                )

    def _write_settings(self) -> None:
        data = self._folder / "home/.kodi/userdata"
        data.mkdir(parents=True)
        settings = {
            "services.webserver": "true",
            "services.webserverport": self._port,
            "services.webserverauthentication": "true",
            "services.webserverusername": self.username,
            "services.webserverpassword": self.password,
            "services.webserverssl": "false",
            "services.esenabled": "true",
            "services.esport": self._events_port,
            "services.esallinterfaces": "false",
            "services.zeroconf": "false",
            "services.upnp": "false",
            "services.airplay": "false",
            "services.wsdiscovery": "false",
            "general.addonupdates": 2,
            "general.addonnotifications": "false",
            "lookandfeel.enablerssfeeds": "false",
            "lookandfeel.soundskin": "",
            "locale.timezone": "Etc/UTC",
            "videolibrary.updateonstartup": "false",
            "videolibrary.actorthumbs": "true",
            "myvideos.extractflags": "false",
            "myvideos.extractthumb": "false",
            "screensaver.mode": "",
            "powermanagement.displaysoff": 0,
        }
        lines = "".join(f'<setting id="{key}">{value}</setting>\n' for key, value in settings.items())
        (data / "guisettings.xml").write_text(f'<settings version="2">\n{lines}</settings>\n')
        (data / "advancedsettings.xml").write_text(
            '<advancedsettings version="1.0">'
            f"<jsonrpc><tcpport>{self.tcp_port}</tcpport></jsonrpc>"
            "<videolibrary><backgroundupdate>true</backgroundupdate></videolibrary>"
            "<network><curlclienttimeout>2</curlclienttimeout><curlretries>0</curlretries></network>"
            "</advancedsettings>\n"
        )
        sources = "".join(
            f'<source><name>{name}</name><path pathversion="1">{self._library / name}/</path></source>'
            for name in _FOLDERS
        )
        (data / "sources.xml").write_text(f"<sources><video>{sources}</video></sources>\n")
        (self._folder / "home/.asoundrc").write_text(
            "pcm.!default { type null }\nctl.!default { type null }\n"
        )

    def _stop(self) -> None:
        for process in (self._kodi, self._display):
            if process is None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._kodi = self._display = None


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def main(words: list[str]) -> int:
    """Run a command of the two that the module's docstring names."""
    if words == ["install"]:
        return install()
    if len(words) == 2 and words[0] == "run":
        if reason := why_not():
            print(reason, file=sys.stderr)
            return os.EX_UNAVAILABLE
        with (
            tempfile.TemporaryDirectory(prefix="kodi-") as folder,
            RealKodi(Path(words[1]).resolve(), Path(folder)) as kodi,
        ):
            connection = {"url": kodi.url, "username": kodi.username, "password": kodi.password}
            print(json.dumps({"connection": connection, "first_scan": kodi.first_scan}), flush=True)
            sys.stdin.readline()
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
