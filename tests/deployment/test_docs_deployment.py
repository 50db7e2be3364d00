"""The commands and files in the docs of Docker, systemd and proxies are checked where they are not run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from deployment_files import DEPLOY, ROOT, check_command, compose, program, shell_lines, unit

sys.path.insert(0, str(ROOT / "tests" / "docs"))

from docs_pages import DOCS, Block, blocks, first_codes, section

from mediasync.settings.file import read_configuration
from mediasync.settings.source import SourceConfig

PAGES = ("run-with-docker.md", "run-with-systemd.md", "behind-a-reverse-proxy.md")
BLOCKS = [block for page in PAGES for block in blocks(DOCS / "how-to" / page)]
NOT_RUN = [block for block in BLOCKS if block.reason]
OPTIONS_WITH_VALUES = {"-f", "--file", "--volume", "--tag", "--unit", "-m", "-g", "-u"}


def operands(words: list[str]) -> list[str]:
    """Return the words of a command that are neither options nor their values."""
    found, skip = [], False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in OPTIONS_WITH_VALUES
        else:
            found.append(word)
    return found


def check_docker(words: list[str]) -> None:
    """Check a command of Docker: its files, its service, and the command of mediasync that it runs."""
    if words[0] != "compose":
        assert words[0] in {"build", "run", "image"}
        if words[0] == "run":
            check_command(words[words.index("mediasync") + 1 :])
        return
    files = [words[n + 1] for n, word in enumerate(words) if word == "-f"] or ["compose.yaml"]
    services = {name for file in files for name in compose(file)["services"]}
    command, *rest = operands(words[1:])
    assert command in {"up", "logs", "ps", "exec"}
    if command == "exec":
        service, program_, *_ = rest
        assert (service in services, program_) == (True, "mediasync")
        inner = words[words.index("exec") + 3 :]
        check_command(inner)
    else:
        assert set(rest) <= services


def check_administration(words: list[str]) -> None:
    """Check a command of an administrator: its units, its files, and what it runs of mediasync."""
    name, *rest = words
    units = {path.name for path in (DEPLOY / "systemd").iterdir()}
    if name in {"systemctl", "journalctl"}:
        named = {word for word in rest if re.search(r"\.(service|timer)$", word)}
        assert named <= units
        assert named or rest == ["daemon-reload"]
    elif name == "install":
        files = [word for word in operands(rest) if not word.startswith("/")]
        assert all((ROOT / file).is_file() for file in files)
    elif name == "-u":
        assert rest[:2] == ["mediasync", "/opt/mediasync/bin/mediasync"]
        check_command(rest[2:])
    else:
        assert name in {"python3", "systemd-sysusers", "/opt/mediasync/bin/pip"}, words


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.where)
def test_commands_that_are_not_run_exist(block: Block) -> None:
    for line in shell_lines(block.text):
        for part in " ".join(map(shlex.quote, line)).split(" '|' "):
            words = shlex.split(part)
            if words[0] == "docker":
                check_docker(words[1:])
            elif words[0] != "git":
                check_administration(words[1:] if words[0] == "sudo" else words)


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.title], ids=lambda block: block.where)
def test_a_part_of_a_file_is_in_the_file(block: Block, tmp_path: Path) -> None:
    assert block.title is not None
    if block.title.startswith("deploy/"):
        assert block.text in (ROOT / block.title).read_text(encoding="utf-8")
    elif block.title.endswith("mediasync.toml"):
        file = tmp_path / "mediasync.toml"
        file.write_text(block.text)
        [source] = read_configuration(file).sources.values()
        assert isinstance(source, SourceConfig), source
    elif block.title == ".env":
        text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
        assert set(re.findall(r"(?m)^(\w+)=", block.text)) == set(re.findall(r"\$\{(\w+)", text))
    elif block.title == "override.conf":
        assert set(re.findall(r"(?m)^(\w+)=", block.text)) <= {key for _, key, _ in unit("mediasync.service")}
        check_command(shlex.split(block.text.splitlines()[-1].partition("=")[2])[1:])
    else:
        assert block.title == "crontab"
        *when, path, command = block.text.split(maxsplit=6)
        assert (len(when), path) == (5, "/opt/mediasync/bin/mediasync")
        check_command(shlex.split(command))


def test_the_variables_of_compose_are_listed() -> None:
    listed = first_codes(section(DOCS / "how-to" / "run-with-docker.md", "Start"))
    used = re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert sorted(set(used)) == sorted(listed)


def test_the_script_of_the_image_is_a_script() -> None:
    for name in ("image", "run"):
        assert subprocess.run([program("bash"), "-n", ROOT / ".ci" / name], check=False).returncode == 0
