"""Signals as people meet them: Ctrl-C at any moment, nohup, a pipe that ends."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from rnncli import load
from rnncli.cli.signals import StopRequest, deferred_stop, interruptible

pytestmark = pytest.mark.usefixtures("posix")

EARLY = """
import builtins, os, signal
import rnncli.__main__
plain_import = builtins.__import__
def interrupted_import(name, *rest):
    if name.endswith({module!r}):
        os.kill(os.getpid(), signal.SIGINT)
    return plain_import(name, *rest)
builtins.__import__ = interrupted_import
import sys
sys.argv = ["rnncli", "info", "-m", "bundled"]
rnncli.__main__.run()
"""


@pytest.mark.parametrize("module", ["cli", "click", "numpy", "storage.model_file"])
def test_ctrl_c_while_modules_are_imported_ends_with_130_and_no_traceback(module, environment):
    run = subprocess.run(
        [sys.executable, "-c", EARLY.format(module=module)], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "Interrupted.\n")


LATE = """
import atexit, os, signal, sys
import rnncli.__main__
atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.argv = ["rnncli", "--version"]
rnncli.__main__.run()
"""


def test_ctrl_c_while_python_shuts_down_ends_without_a_traceback(environment):
    run = subprocess.run([sys.executable, "-c", LATE], env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout.startswith("rnncli ")) == (130, True)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_a_text_is_read_ends_at_once_with_one_line_and_leaves_nothing(start, tmp_path, number):
    os.mkfifo(tmp_path / "text")
    process = start("train", "text", "-o", "m.npz", "--log", "log")
    with open(tmp_path / "text", "wb"):  # it has begun to read, and waits for more
        process.send_signal(number)
        _, told = process.communicate()
    assert (process.returncode, told) == (128 + number, "Interrupted.\n")
    assert os.listdir(tmp_path) == ["text"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_a_bar_away(terminal, number):
    code = (
        "import os; from rnncli.cli.progress import reading; from rnncli.cli.signals import interruptible\n"
        "with interruptible(), reading(0.0) as show:\n"
        f"    show(0.25); os.kill(os.getpid(), {number:d})"
    )
    shown, _ = terminal(f"{sys.executable} -c '{code}'")
    assert shown.index("\x1b[?25l") < shown.index("\x1b[?25h")  # the cursor is hidden, then shown


def test_a_second_hangup_does_not_interrupt_what_the_first_one_closes():
    closed = []

    @interruptible()
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGHUP)
        finally:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert closed
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_in_a_thread_signals_are_left_to_the_program_around():
    heard = []

    def work():
        with deferred_stop() as stop, interruptible():
            heard.append(stop.signal)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [0]


def test_a_job_that_ignores_ctrl_c_and_hanging_up_trains_to_its_end(shell, corpus_file, tmp_path):
    words = (
        f"rnncli train {corpus_file} --hidden-size 8 --epochs 30 --patience 30 -o {tmp_path}/m.npz --log {tmp_path}/l"
    )
    send = f"while [ ! -s {tmp_path}/l ]; do :; done; kill -HUP $!; kill -INT $!; wait $!"
    run = shell(f"nohup {words} > {tmp_path}/out 2>&1 & {send}")
    assert run.returncode == 0
    assert len(load(tmp_path / "m.npz").about["history"]) == 30


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        ("2>&1 | head -n 1", 128 + signal.SIGPIPE),
        ("2> /dev/full", 0),
    ],  # the path of the model cannot be printed, or can
)
def test_a_broken_display_ends_no_training(shell, corpus_file, full_device, tmp_path, broken, status):
    words = f"rnncli train {corpus_file} --hidden-size 4 --epochs 3 -o {tmp_path}/m.npz"
    assert shell(f"set -o pipefail; {words} {broken}").returncode == status
    assert len(load(tmp_path / "m.npz").about["history"]) == 3


def test_no_file_takes_the_place_of_a_closed_stream(shell, corpus_file, tmp_path):
    words = f"rnncli train {corpus_file} --hidden-size 4 --epochs 1 -o {tmp_path}/m.npz"
    assert shell(f"{words} <&- >&- 2>&-").returncode == 0
    assert load(tmp_path / "m.npz").predict("Tom", 1)


def take_terminal() -> None:
    """In a child: make standard input its controlling terminal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_terminal_that_is_closed_keeps_the_training(rnncli_path, environment, corpus_file, tmp_path):
    import pty

    terminal, child_side = pty.openpty()
    words = [rnncli_path, "train", corpus_file, "--hidden-size", "8", "--epochs", "100000", "--patience", "100000"]
    with subprocess.Popen(
        [*words, "-o", "m.npz"],
        stdin=child_side, stdout=child_side, stderr=child_side,
        cwd=tmp_path, env=environment, start_new_session=True, preexec_fn=take_terminal,
    ) as process:  # fmt: skip
        os.close(child_side)
        shown = b""
        while b"epoch" not in shown:
            shown += os.read(terminal, 1000)
        os.close(terminal)
        assert process.wait(60) == 128 + signal.SIGHUP
    assert (tmp_path / "m.checkpoint.npz").exists()
    assert load(tmp_path / "m.npz").predict("Tom", 1)


def test_ranks_agree_only_on_signals_that_were_told():
    """One that comes between telling the signals and deciding would stop this rank alone."""
    stop = StopRequest()
    told = [stop.signal, 0]
    stop.note(signal.SIGTERM, None)
    assert stop.agreed(told) == 0
    assert stop.agreed([stop.signal, 0]) == signal.SIGTERM
    other = StopRequest()
    assert other.agreed([0, signal.SIGINT]) == signal.SIGINT
    assert other.signal == signal.SIGINT
