"""Signals as people meet them: Ctrl-C at any moment, nohup, a pipe that ends."""

import os
import signal
import subprocess
import sys

import pytest

from rnncli import load

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


def test_a_job_that_ignores_ctrl_c_and_hanging_up_trains_to_its_end(shell, corpus_file, tmp_path):
    words = (
        f"rnncli train {corpus_file} --hidden-size 8 --epochs 30 --patience 30 -o {tmp_path}/m.npz --log {tmp_path}/l"
    )
    send = f"while [ ! -s {tmp_path}/l ]; do :; done; kill -HUP $!; kill -INT $!; wait $!"
    run = shell(f"nohup {words} > {tmp_path}/out 2>&1 & {send}")
    assert run.returncode == 0
    assert len(load(tmp_path / "m.npz").about["history"]) == 30


@pytest.mark.parametrize("broken", ["2>&1 | head -n 1", "2> /dev/full"])
def test_a_broken_display_ends_no_training(shell, corpus_file, full_device, tmp_path, broken):
    words = f"rnncli train {corpus_file} --hidden-size 4 --epochs 3 -o {tmp_path}/m.npz"
    shell(f"{words} {broken}")
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
