"""The image and the compose files: what they hold, and that they give away nothing that is not needed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from deployment_files import PORT, ROOT, check_command, compose, instructions, only, program

COMPOSE_FILES = ("compose.yaml", "compose.postgres.yaml")


def merged() -> dict[str, Any]:
    """Return the service ``mediasync`` as both compose files together describe it."""
    base, more = (compose(name)["services"]["mediasync"] for name in COMPOSE_FILES)
    return {**base, **more, "environment": base["environment"] | more["environment"]}


# The image


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [program("hadolint"), "--failure-threshold", "style", "Dockerfile"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_both_stages_have_the_same_pinned_base() -> None:
    import dev

    bases = [only("FROM", stage).removesuffix(" AS build") for stage in (0, 1)]
    assert bases[0] == bases[1]
    found = re.fullmatch(r"python:(3\.\d+)-slim-\w+", bases[0])
    assert found
    assert found[1] in dev.PYTHONS


def test_the_build_gets_what_the_package_is_made_of() -> None:
    import tomllib

    copied = {name for word, rest in instructions(0) if word == "COPY" for name in rest.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    }
    assert copied == needed
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert "'.[all]'" in dict(instructions(0))["RUN"]


def test_it_runs_as_a_user_who_owns_the_data_alone() -> None:
    user = only("USER")
    uid, gid = user.split(":")
    assert uid == gid
    assert int(uid) >= 10_000
    made = only("RUN")
    assert f"--gid {gid}" in made
    assert f"--uid {uid}" in made
    assert f"--owner={uid} --group={gid} --mode=0750 /data" in made
    # It is the working folder, which another user must be able to enter.
    assert "--mode=0755 /config" in made
    assert only("WORKDIR") == "/config"
    assert json.loads(only("VOLUME")) == ["/data", "/config"]
    assert only("STOPSIGNAL") == "SIGTERM"
    written = dict(re.findall(r"(\w+)=(\S+)", only("ENV")))
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "MEDIASYNC_DATABASE"):
        assert written[name].startswith("/data")


def test_its_command_is_one_of_mediasync() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["mediasync"]
    command = json.loads(only("CMD"))
    assert only("EXPOSE") == str(PORT) == command[command.index("--port") + 1]
    check_command(command)


# Health


def health_command() -> list[str]:
    """Return the command of the image that tells whether the site is well."""
    _, _, command = only("HEALTHCHECK").partition(" CMD ")
    words: list[str] = json.loads(command)
    return words


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve an answer with this status to each request for ``/healthz``, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def is_healthy(port: int) -> bool:
    python, *arguments = health_command()
    assert python == "python"
    words = [word.replace(f"127.0.0.1:{PORT}/", f"127.0.0.1:{port}/") for word in arguments]
    assert words != arguments
    return subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode == 0


def test_the_health_check_asks_the_site() -> None:
    for status, healthy in ((200, True), (503, False), (404, False)):
        with answering(status) as port:
            assert is_healthy(port) is healthy
    assert not is_healthy(port), "nothing listens any more"


# Compose


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_files_follow_the_specification(name: str) -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema, which has the schema, is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", name], cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "service"), [("compose.yaml", "mediasync"), ("compose.postgres.yaml", "postgres")]
)
def test_a_service_may_do_no_more_than_it_needs(name: str, service: str) -> None:
    found = compose(name)["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["user"].split(":")[0] not in {"root", "0"}
    assert found["restart"] == "unless-stopped"
    assert not {"privileged", "network_mode", "cap_add", "pid"} & found.keys()
    assert any(each.split(":")[0] == "/tmp" for each in found["tmpfs"])
    assert found["healthcheck"]["test"][0] == "CMD"


def test_the_services_image_is_the_one_of_the_dockerfile() -> None:
    found = compose("compose.yaml")["services"]["mediasync"]
    uid, gid = only("USER").split(":")
    assert found["user"] == f"${{PUID:-{uid}}}:${{PGID:-{gid}}}"
    assert found["healthcheck"]["test"] == ["CMD", *health_command()]
    assert found["ports"] == [f"${{MEDIASYNC_LISTEN:-127.0.0.1}}:{PORT}:{PORT}"]
    targets = dict(re.fullmatch(r".*:(/\w+)(:ro)?", each).groups() for each in found["volumes"])  # type: ignore[union-attr]
    assert targets == {"/data": None, "/config": ":ro", "/media": ":ro"}
    assert " ".join(found["command"]).replace("=", " ") == " ".join(json.loads(only("CMD")))
    check_command(found["command"])


def test_passwords_are_files_and_nothing_else() -> None:
    for name in COMPOSE_FILES:
        document = compose(name)
        used = {secret for service in document["services"].values() for secret in service.get("secrets", ())}
        assert used == document["secrets"].keys()
        for secret, source in document["secrets"].items():
            assert source == {"file": f"./secrets/{secret}"}
        for service in document["services"].values():
            for variable in service.get("environment", {}):
                assert not re.search("PASSWORD|TOKEN|SECRET", variable) or variable.endswith("_FILE"), (
                    variable
                )
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8")


def test_postgresql_takes_the_place_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mediasync.settings.database import database_url

    environment = merged()["environment"]
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://mediasync:secret@postgres/media\n")
    assert environment["MEDIASYNC_DATABASE_FILE"] == "/run/secrets/database-url"
    given = {**environment, "MEDIASYNC_DATABASE_FILE": str(secret)}
    assert database_url(None, given) == "postgresql://mediasync:secret@postgres/media"
    postgres = compose("compose.postgres.yaml")["services"]["postgres"]
    assert merged()["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert re.fullmatch(r"postgres:\d+-\w+", postgres["image"])
    assert postgres["environment"]["POSTGRES_DB"] == "media"
