"""``mediasync serve``: where it listens, who may use it, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cli_runs import Run, process_environment
from serving import serving

MEASURED = pytest.mark.usefixtures("measured_processes")
POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")
TOKEN = "correct horse battery"


@POSIX
@MEASURED
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_well_although_somebody_follows_a_sync(home: Path, number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and answers nothing
        source = f"films=kodi+http://127.0.0.1:{silent.getsockname()[1]}"
        with serving(source) as served:
            assert re.fullmatch(
                rf"mediasync: to change things, sign in at {served.url}/sign-in with the token \S{{24}}\n",
                served.next_line(),
            )
            assert served.next_line().endswith("/mediasync.db\n")
            address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
            with (
                silent.accept()[0],
                socket.create_connection(address) as idle,
                httpx.stream("GET", f"{served.url}/sources/films/progress", timeout=30) as following,
            ):
                idle.sendall(b"GET / HTTP/1.1\r\n")  # and never more
                assert next(following.iter_lines()) == ": connected"
                served.process.send_signal(number)
                out, err = served.process.communicate(timeout=30)
    assert (served.process.returncode, out) == (0, "")
    assert err == "mediasync: stopping; what was saved stays\n"


@MEASURED
def test_it_syncs_on_the_schedule_of_the_file(home: Path, library: Path) -> None:
    (home / "mediasync.toml").write_text(
        f"[sources.films]\nfolder = '{library}'\nevery = '1d'\n[web]\nport = 1\nhosts = 'media.example.org'\n"
        "cors_origins = 'https://films.example'\n"
    )
    with serving("--json") as served:
        assert served.process.stdout is not None
        document = json.loads(served.process.stdout.readline())
        assert (document["source_id"], document["run"]["saved"]) == ("films", 6)
        page = httpx.get(f"{served.url}/sources/films", headers={"Host": "media.example.org"})
        assert "every 24 h" in page.text
        answer = httpx.get(f"{served.url}/api/v1/items", headers={"Origin": "https://films.example"})
        assert answer.headers["access-control-allow-origin"] == "https://films.example"
        assert httpx.get(served.url, headers={"Host": "evil.example"}).status_code == 421
        served.process.terminate()
        assert served.process.wait(timeout=30) == 0


@MEASURED
def test_a_sync_on_a_page_is_a_line_of_output(home: Path, library: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with serving(f"films=nfo:{library}", "--no-watch", "--token-file", str(tmp_path / "token")) as served:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.post(f"{served.url}/sources/films/sync", headers=bearer).status_code == 303
        assert served.process.stdout is not None
        assert " films: 6 items seen, 6 saved" in served.process.stdout.readline()
        assert httpx.post(f"{served.url}/sources/films/sync").status_code == 401
        served.process.terminate()
        assert served.process.wait(timeout=30) == 0


def test_the_token_comes_from_the_environment(home: Path) -> None:
    with serving("--host", "0.0.0.0", environ={"MEDIASYNC_WEB_TOKEN": TOKEN}) as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/runs.json").status_code == 401
        assert httpx.get(f"{url}/runs").headers["location"].endswith("/sign-in?next=%2Fruns")
        answer = httpx.get(f"{url}/runs.json", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.json() == {"runs": [], "next": None}
        assert TOKEN not in "".join(served.lines)


def test_everybody_reads_and_nobody_writes_without_a_password(home: Path) -> None:
    with serving("--host", "0.0.0.0", "--no-auth") as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/runs").status_code == 200
        assert httpx.post(f"{url}/removed/restore").status_code == 403


def test_a_proxy_may_take_the_path_away_or_not(home: Path) -> None:
    with serving("--root-path", "/media/") as served:
        assert served.url.endswith("/media")
        base = served.url.removesuffix("/media")
        for prefix in ("", "/media"):
            page = httpx.get(f"{base}{prefix}/runs")
            assert page.status_code == 200
            assert 'href="/media/static/mediasync.css?' in page.text
            assert httpx.get(f"{base}{prefix}/static/mediasync.css").status_code == 200
            assert "Path=/media" in httpx.get(f"{base}{prefix}/sign-in").headers["set-cookie"]


def test_what_a_proxy_on_this_machine_forwards_is_not_taken_for_local(home: Path) -> None:
    with serving() as served:
        assert httpx.get(f"{served.url}/runs.json").status_code == 200
        for header in ("Forwarded", "X-Forwarded-For", "X-Real-IP"):
            assert httpx.get(f"{served.url}/runs.json", headers={header: "203.0.113.9"}).status_code == 401


def test_forwarded_headers_are_believed_from_stated_proxies_only(home: Path) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    for options, believed in (((), False), (("--trust-proxy", "127.0.0.0/8", "--no-auth"), True)):
        with serving("--verbose", *options) as served:
            page = httpx.get(f"{served.url}/sign-in?token=s3cret", headers=forwarded)
            assert ("secure" in page.headers.get("set-cookie", "").lower()) == believed
            served.process.terminate()
            _, err = served.process.communicate(timeout=30)
            client = "203.0.113.9" if believed else "127.0.0.1"
            assert f"{client} GET /sign-in?token=...: 200" in err
            assert "s3cret" not in err


@POSIX
@MEASURED
def test_it_listens_on_a_unix_socket(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    command = [sys.executable, "-m", "mediasync", "serve", "--uds", str(path), "--no-auth"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=process_environment()) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"mediasync: listening on {path}\n"
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost"
        ) as client:
            assert client.get("/runs").status_code == 200
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert not path.exists()


@POSIX
@MEASURED
def test_it_listens_on_the_sockets_of_a_service_manager(home: Path) -> None:
    start = (
        "import os, sys\n"
        "os.dup2(int(sys.argv[1]), 3)\n"
        "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'mediasync', 'serve'])\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as opened:
        number, address = opened.fileno(), f"http://127.0.0.1:{opened.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-c", start, str(number)],
            stderr=subprocess.PIPE,
            text=True,
            env=process_environment(),
            pass_fds=[number],
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == f"mediasync: listening on {address}/\n"
            assert httpx.get(f"{address}/runs").status_code == 200
            process.terminate()
            assert process.wait(timeout=30) == 0


def test_a_port_in_use_is_an_error(run: Run, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("serve", "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert "nothing can listen on 127.0.0.1, port " in ended.err
    assert "--port chooses another port" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--host", "0.0.0.0"],
            "--host 0.0.0.0 lets others reach the site: give --token-file",
        ),
        (["--trust-proxy", "10.0.0.1"], "--trust-proxy lets others reach the site"),
        (["--uds", "web.sock"], "--uds lets others reach the site"),
        (["--trust-proxy", "proxy"], "--trust-proxy: 'proxy' is not the address of a proxy"),
        (["--root-path", "media"], "--root-path: is not a path: write /media"),
        (["--hosts", "http://x"], "--hosts: 'http://x' is not the name of a host"),
        (["--token-file", "missing"], "--token-file: 'missing' cannot be read"),
        (["--host", "nowhere.invalid", "--no-auth"], "--host nowhere.invalid: is not an address"),
        (["--every", "soon"], "--every: 'soon' is not a length of time"),
        (["films"], "'films' is not a source"),
    ],
)
def test_what_cannot_be_served_is_wrong_usage(
    run: Run, home: Path, arguments: list[str], message: str
) -> None:
    ended = run("serve", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("prot = 80", "[web] prot is not a setting; did you mean port?"),
        ("port = 70000", "[web] port: "),
        ("host = ''", "[web] host: "),
        ("trusted_proxies = ['proxy']", "[web] trusted_proxies: 'proxy' is not the address of a proxy"),
        ("root_path = 'media'", "[web] root_path is not a path: write /media"),
        ("hosts = ['a b']", "[web] hosts: 'a b' is not the name of a host"),
        ("cors_origins = 'films.example/x'", "[web] cors_origins: 'films.example/x' is not an origin"),
        ("public_metrics = 1", "[web] public_metrics: "),
        ("pictures_mb = 0", "[web] pictures_mb: "),
        ("token_file = 'missing'", "[web] token_file: "),
        ("token_file = 'short'", "is too short to be a password"),
    ],
)
def test_the_table_of_the_file_is_checked(run: Run, home: Path, table: str, message: str) -> None:
    (home / "short").write_text("secret")
    (home / "mediasync.toml").write_text(f"[web]\n{table}\n")
    ended = run("serve")
    assert ended.code == 2
    assert message in ended.err


def test_without_the_extra_it_says_what_to_install(home: Path) -> None:
    hidden = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from mediasync.cli import main; raise SystemExit(main(['serve']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, env=process_environment(), check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == ("mediasync: the website needs its extra: pip install 'mediasync-mirror[web]'\n")


def test_the_configuration_shows_where_the_site_is(run: Run, home: Path) -> None:
    assert run("config", "check", "--json").json["web"] is None
    (home / "token").write_text(TOKEN)
    (home / "mediasync.toml").write_text(
        "[web]\nhost = '::1'\nport = 80\nroot_path = '/media/'\ntoken_file = 'token'\n"
        "hosts = 'nas.home.arpa'\ncors_origins = 'https://films.example'\npictures = 'kept'\n"
    )
    shown = run("config", "check")
    assert f"Website        http://[::1]:80/media/; password from {home / 'token'}\n" in shown.out
    document = run("config", "check", "--json")
    assert TOKEN not in shown.out + document.out
    assert document.json["web"] == {
        "host": "::1",
        "port": 80,
        "root_path": "/media",
        "trusted_proxies": [],
        "hosts": ["nas.home.arpa"],
        "cors_origins": ["https://films.example"],
        "public_metrics": False,
        "pictures": str(home / "kept"),
        "pictures_mb": 512,
        "token_from": str(home / "token"),
        "error": None,
    }
    (home / "token").unlink()
    flawed = run("config", "check")
    assert (flawed.code, "cannot be read" in flawed.out) == (2, True)
