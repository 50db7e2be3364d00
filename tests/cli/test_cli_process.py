"""How the program starts and ends: signals, streams, exit codes, and never a traceback."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest
from cli_runs import Run, process_environment, write_movie
from rich.console import Console

from mediasync import MediaSync, cli
from mediasync.cli import errors, parser, signals
from mediasync.cli.context import CommandContext
from mediasync.cli.output import Output
from mediasync.errors import DataError, UsageError

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")
STUCK = "import sys, cli_backends; sys.exit(cli_backends.stuck_main())"


# The parser


def test_help_teaches(run: Run) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        ended = run(*arguments)
        assert ended.code == 0
        assert "mediasync sync nfo:FOLDER" in ended.out
    for command in ("sync", "status", "runs", "show", "person", "check"):
        ended = run(command, "--help")
        assert (ended.code, ended.err) == (0, "")
        assert "Examples" in ended.out
        assert "Exit codes" in ended.out
        assert f"mediasync {command}" in ended.out
        assert "[bold]" not in ended.out


def test_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--version").out.startswith("mediasync ")

    def missing(_: str) -> str:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert run("--version").out == "mediasync (not installed)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stauts"], "No such command 'stauts'"),
        (["status", "--wat"], "No such option: --wat"),
        (["status", "extra"], "Got unexpected extra argument"),
        (["sync"], "no source is named, and there is no mediasync.toml"),
        (["show"], "Missing argument 'TITLE-OR-ID...'"),
        (["show", " "], "the title is empty"),
        (["person", "\udcff"], "the name is not valid text"),
        (["runs", "seven"], "Invalid value for 'RUN_ID'"),
        (["runs", "0"], "Invalid value for 'RUN_ID'"),
        (["runs", str(10**30)], "Invalid value for 'RUN_ID'"),
        (["runs", "--limit", "0"], "Invalid value for '--limit'"),
        (["status", "--database", ""], "the database has no name"),
        (["status", "--database", "mysql://me:secret@host/media"], "a database URL begins with sqlite"),
        (["--debug"], "say what to do"),
        (["--database", "media.db"], "say what to do"),
        ([], "say what to do"),
    ],
)
def test_wrong_usage_is_reported_in_one_line(run: Run, arguments: list[str], message: str) -> None:
    ended = run(*arguments, *([] if arguments == ["--debug"] else ["--json"]))
    assert ended.code == 2
    first = ended.err.splitlines()[0]
    assert first.startswith("mediasync: ")
    assert message in first
    assert "secret" not in ended.err
    if "--debug" not in arguments:
        assert ended.err.count("\n") == 1
        assert ended.json["error"]["message"] == first.removeprefix("mediasync: ")


def test_json_behind_two_hyphens_is_a_title(run: Run, synced: Path) -> None:
    ended = run("show", "--", "--json")
    assert ended.err == "mediasync: no stored item is called '--json', wholly or in part\n"
    assert ended.out == ""


def test_an_unexpected_error_is_reported_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero\nor nearly")

    monkeypatch.setattr(CommandContext, "url", fail)
    ended = run("status", "--json")
    assert ended.code == 70
    assert ended.json["error"]["kind"] == "InternalError"
    assert ended.err == (
        "mediasync: internal error, please report it: ZeroDivisionError: by zero or nearly "
        "(--debug shows where it happened)\n"
    )
    assert "Traceback" in run("status", "--debug").err
    assert "Traceback" in run("--debug", "status").err
    monkeypatch.setenv("MEDIASYNC_DEBUG", "0")
    assert run("status").err.count("\n") == 1
    monkeypatch.setenv("MEDIASYNC_DEBUG", "1")
    assert "Traceback" in run("status").err


def test_an_interrupt_outside_the_loop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def abort(*_: object, **__: object) -> None:
        raise parser.typer.Abort

    for way in (interrupt, abort):
        monkeypatch.setattr(CommandContext, "of", way)
        ended = run("status", "--json")
        assert ended.code == 130
        assert ended.err == "mediasync: interrupted\n"
        assert ended.json == {"error": {"kind": "Interrupted", "message": "interrupted"}}


def test_an_interrupt_while_the_program_is_loaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "mediasync.cli.program":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "mediasync.cli.program", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert run("status").code == 130


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (errors.Interrupted(signal.SIGTERM), 143, "Interrupted"),
        (errors.ReaderGone(), 141, "ReaderGone"),
        (errors.OutputFailed(), 74, "OutputFailed"),
        (DataError("x"), 4, "DataError"),
        (UsageError("x"), 2, "UsageError"),
    ],
)
def test_errors_have_codes_and_kinds(error: Exception, code: int, kind: str) -> None:
    assert (errors.exit_code(error), errors.error_kind(error)) == (code, kind)


def test_a_command_needs_the_program() -> None:
    class Context:
        def find_object(self, _: object) -> None:
            return None

    with pytest.raises(AssertionError, match="was not started by"):
        CommandContext.of(Context())  # type: ignore[arg-type]


# The extra


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
from mediasync.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(run_process: Run, name: str) -> None:
    ended = run_process("status", code=BLOCKED.format(name=name))
    assert (ended.code, ended.out) == (2, "")
    message = "the command line needs its extra: pip install 'mediasync-mirror[cli]'"
    assert ended.err == f"mediasync: {message}\n"
    ended = run_process("status", "--json", code=BLOCKED.format(name=name))
    assert ended.json == {"error": {"kind": "MissingExtra", "message": message}}


@pytest.mark.parametrize("missing", ["typer", "mediasync.cli.program"])
def test_only_what_is_of_the_extra_is_said_to_be(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    class Blocker:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "mediasync.cli.program":
                raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.delitem(sys.modules, "mediasync.cli.program", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Blocker(), *sys.meta_path])
    if missing == "typer":
        assert run("status", "--json").json["error"]["kind"] == "MissingExtra"
        assert run("status").code == 2
    else:
        with pytest.raises(ModuleNotFoundError):
            run("status")


# Streams


def test_a_real_process(run_process: Run, library: Path, home: Path) -> None:
    assert run_process("sync", f"nfo:{library}").code == 0
    ended = run_process("show", "heat")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Heat (1995)\n")
    assert "\x1b" not in ended.out


def test_another_encoding_disturbs_no_name_and_no_json(run_process: Run, run: Run, home: Path) -> None:
    write_movie(home / "lib", "x", "<title>Amélie 千</title><year>2001</year>")
    run("sync", "nfo:lib")
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert run_process("show", "amelie", env=ascii_only).out.startswith("Am?lie ? (2001)\n")
    assert run_process("show", "amelie", "--json", env=ascii_only).json["item"]["title"] == "Amélie 千"
    ended = run_process("show", "nothing-é", env=ascii_only)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert run_process("--help", env=ascii_only).code == 0


def test_what_is_piped_is_never_folded(run: Run, home: Path) -> None:
    name = "Wolfeschlegelsteinhausenbergerdorff " * 12
    write_movie(
        home / "lib", "x", f"<title>Long</title><actor><name>{name}</name><role>{name}</role></actor>"
    )
    run("sync", "nfo:lib")
    assert f"  {name.strip()}  as {name.strip()}\n" in run("show", "long").out


@POSIX
@pytest.mark.parametrize("arguments", [["show", "heat"], ["show", "heat", "--json"], ["--help"]])
def test_a_reader_that_goes_away_ends_it_quietly(synced: Path, arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mediasync", *arguments],
            stdout=write,
            stderr=subprocess.PIPE,
            env=process_environment(),
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@POSIX
def test_a_sync_succeeds_although_nobody_reads_its_output(run: Run, library: Path, home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mediasync", "sync", f"films=nfo:{library}"],
            stdout=write,
            stderr=write,
            env=process_environment(),
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)
    assert done.returncode == 141
    assert run("runs", "--json").json["runs"][0]["status"] == "succeeded"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it needs /dev/full")
@pytest.mark.parametrize("arguments", [["show", "heat"], ["--help"]])
def test_an_output_that_is_full_is_reported(synced: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mediasync", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=process_environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 74
    assert done.stderr == b"mediasync: the output cannot be written: No space left on device\n"


@POSIX
def test_closed_streams_disturb_nothing(synced: Path) -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        done = subprocess.run(
            ["sh", "-c", f'"$0" -m mediasync show heat {closed}', sys.executable],
            capture_output=True,
            env=process_environment(),
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr


class Broken(IO[str]):
    """A stream that fails on demand."""

    encoding = "utf-8"

    def __init__(self, error: OSError) -> None:
        self.error = error

    def isatty(self) -> bool:
        return False

    def write(self, _: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error

    def fileno(self) -> int:
        raise ValueError("it has no file")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BrokenPipeError(), 141, ""),
        (
            OSError(5, "Input/output error"),
            74,
            "mediasync: the output cannot be written: Input/output error\n",
        ),
    ],
)
def test_streams_that_fail(
    synced: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    code: int,
    told: str,
) -> None:
    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Broken(error))
        assert cli.main(["show", "heat"]) == code
        assert capsys.readouterr().err == told
        patched.setattr(sys, "stderr", Broken(error))
        assert cli.main(["show", "nothing at all"]) == code
        patched.setattr(sys, "stdout", None)
        patched.setattr(sys, "stderr", None)
        assert cli.main(["show", "heat"]) == 0


def test_a_file_as_output_is_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "out", "w") as file, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", file)
        out = Output(as_json=False, debug=False)
        out.abandon()
        file.write("lost")
    assert (tmp_path / "out").read_text() == ""


def test_a_terminal_is_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False, debug=False)
    out.leave_screen()
    assert capsys.readouterr().err == ""
    out.console = Console(force_terminal=True)
    out.leave_screen()
    assert capsys.readouterr().err == "\x1b[?25h\n"


def test_a_terminal_gets_colour_and_folds(run: Run, synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = run("show", "heat").out
    assert "\x1b[1mHeat (1995)\x1b[0m" in shown
    assert "..." not in shown
    assert "…" not in shown


# Terminals and signals


@POSIX
def test_a_terminal_shows_a_bar_and_then_the_answer(library: Path, home: Path) -> None:
    import pty

    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mediasync", "sync", f"films=nfo:{library}"],
        stdout=child,
        stderr=child,
        env=process_environment({"TERM": "xterm-256color", "COLUMNS": "300"}),
    )
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(parent)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "\x1b[?25l" in text
    assert "\x1b[?25h" in text
    assert "6 items seen, 6 saved, 0 unchanged, 0 failed" in text
    assert text.rstrip().endswith("mediasync.db\x1b[0m")


def start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Start a process with sources that do not end, where signals are not ignored."""
    return subprocess.Popen(
        [sys.executable, "-c", STUCK, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=process_environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        **more,
    )


def wait_for(process: subprocess.Popen[str], *beginnings: str) -> list[str]:
    """Read standard error until lines with all of these beginnings arrived, in any order."""
    assert process.stderr is not None
    read: list[str] = []
    for text in process.stderr:
        read.append(text)
        if all(any(line.startswith(beginning) for line in read) for beginning in beginnings):
            return read
    raise AssertionError(f"the process ended without {beginnings}: {read}")


@POSIX
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_cancels_the_run_and_leaves_a_good_database(
    run: Run, home: Path, library: Path, number: int, code: int
) -> None:
    process = start("sync", f"films=nfo:{library}", "stuck", "again=nfo:missing", "--json")
    wait_for(process, "STUCK", "mediasync: films: done", "mediasync: again: its folder")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    message = "interrupted: the sync of stuck is cancelled; what was saved stays"
    assert err == f"mediasync: {message}\n"
    document = json.loads(out)
    assert document["error"] == {"kind": "Interrupted", "message": message}
    assert [source["status"] for source in document["sources"]] == ["succeeded", "cancelled", "failed"]
    assert document["sources"][1]["run"]["status"] == "cancelled"
    recorded = {item["source_id"]: item["status"] for item in run("runs", "--json").json["runs"]}
    assert recorded == {"films": "succeeded", "stuck": "cancelled"}
    assert run("check").code == 0


INTERRUPTED_IMPORT = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
from mediasync.cli import main
sys.exit(main())
"""


@POSIX
@pytest.mark.parametrize(
    "module", ["mediasync.cli.program", "typer", "pydantic", "mediasync.app", "mediasync.cli.status", "rich"]
)
def test_ctrl_c_while_the_program_starts_shows_no_traceback(run_process: Run, module: str) -> None:
    ended = run_process("status", code=INTERRUPTED_IMPORT.format(module=module))
    assert (ended.code, ended.out, ended.err) == (130, "", "")


INTERRUPTED_END = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
from mediasync.cli import main
sys.exit(main())
"""


@POSIX
def test_ctrl_c_while_the_program_ends_shows_no_traceback(run_process: Run) -> None:
    ended = run_process("--version", code=INTERRUPTED_END)
    assert (ended.code, ended.err) == (130, "")
    assert ended.out.startswith("mediasync ")


def test_every_public_name_is_there_once_it_is_used(run_process: Run) -> None:
    code = """
import mediasync, sys
assert "pydantic" not in sys.modules, "whoever only wants the command has not waited for it"
assert set(mediasync.__all__) <= set(dir(mediasync))
for name in mediasync.__all__:
    assert getattr(mediasync, name) is getattr(mediasync, name)
assert mediasync.errors.MediaSyncError is mediasync.MediaSyncError
try:
    mediasync.nothing
except AttributeError as error:
    print(error)
"""
    ended = run_process(code=code)
    assert (ended.out, ended.err) == ("module 'mediasync' has no attribute 'nothing'\n", "")


@POSIX
def test_a_second_signal_ends_it_at_once(run: Run, home: Path) -> None:
    process = start("sync", "stubborn")
    wait_for(process, "STUCK")
    process.send_signal(signal.SIGINT)
    wait_for(process, "STUBBORN")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (143, "", "")
    assert run("check").code == 0
    assert run("runs", "--json").json["runs"][0]["status"] == "running"


def test_a_signal_that_was_ignored_stays_ignored_and_all_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:

        async def work() -> int:
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
            signal.raise_signal(signal.SIGTERM)
            return 5

        assert signals.run_async(work(), on_first=unexpected, on_second=unexpected) == 5
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def unexpected() -> None:
    """Fail."""
    raise AssertionError("no signal was expected")


def test_signals_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)

    async def work() -> int:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()
        return 0

    handlers = [signal.getsignal(number) for number in signals.SIGNALS]
    with pytest.raises(errors.Interrupted) as caught:
        signals.run_async(
            work(), on_first=lambda: told.append("first"), on_second=lambda: told.append("second")
        )
    assert caught.value.number == signal.SIGTERM
    assert ended == [130]
    # The process would have ended here, had it been allowed to.
    assert told[:2] == ["second", "first"]
    assert [signal.getsignal(number) for number in signals.SIGNALS] == handlers


def test_a_signal_that_comes_too_late_interrupts_nothing() -> None:
    async def work() -> int:
        signal.raise_signal(signal.SIGTERM)
        return 3

    assert signals.run_async(work(), on_first=lambda: None, on_second=unexpected) == 3


def test_a_signal_to_a_reader(run: Run, synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(_: MediaSync) -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(MediaSync, "check", wait)
    ended = run("check")
    assert (ended.code, ended.out, ended.err) == (143, "", "mediasync: interrupted\n")


def test_a_signal_to_a_sync_in_this_process(run: Run, synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli_backends import StuckBackend, stand_in

    class Signalling(StuckBackend):
        async def iter_items(self, *arguments: Any, **options: Any) -> Any:
            signal.raise_signal(signal.SIGTERM)
            async for finding in super().iter_items(*arguments, **options):
                yield finding

    stand_in(monkeypatch.setattr, {"home": Signalling("home")})
    ended = run("sync", "home", "--database", synced)
    assert ended.code == 143
    assert "mediasync: interrupted: the sync of home is cancelled; what was saved stays\n" in ended.err
    assert run("sync", "home", "--json").json["sources"][0]["status"] == "cancelled"
    connection = sqlite3.connect(synced)
    assert {status for (status,) in connection.execute("SELECT status FROM sync_runs")} == {
        "cancelled",
        "succeeded",
    }
    connection.close()


async def test_another_thread_handles_no_signals() -> None:
    async def work() -> int:
        return 4

    before = signal.getsignal(signal.SIGTERM)
    assert await asyncio.to_thread(signals.run_async, work(), on_first=unexpected, on_second=unexpected) == 4
    assert signal.getsignal(signal.SIGTERM) is before
