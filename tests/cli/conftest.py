import contextlib
import inspect
import os
import subprocess
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from rnncli.cli import main

# Click before 8.2 has to be told to keep standard error apart.
APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """Tests know nothing of the defaults that somebody may have set for themselves."""
    for name in os.environ:
        if name.startswith("RNNCLI_"):
            monkeypatch.delenv(name)


@pytest.fixture
def invoke():
    """Run the command line inside of this process: `invoke("predict", "Tom", "-n", 3).stdout`."""

    def run(*arguments, input=None):
        runner = CliRunner(**APART)
        return runner.invoke(main, [str(argument) for argument in arguments], input=input, prog_name="rnncli")

    return run


@pytest.fixture
def start(rnncli_path, environment, tmp_path):
    """Start the installed command with pipes, to talk to it while it runs. It is killed when the test ends."""
    with contextlib.ExitStack() as stack:

        def run(*arguments) -> subprocess.Popen:
            process = subprocess.Popen(
                [rnncli_path, *map(str, arguments)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, encoding="utf-8", bufsize=1, env=environment, cwd=tmp_path,
            )  # fmt: skip
            stack.enter_context(process)
            stack.callback(process.kill)
            watchdog = threading.Timer(60, process.kill)  # a test that waits in vain fails, and does not hang
            watchdog.start()
            stack.callback(watchdog.cancel)
            return process

        yield run


@pytest.fixture
def full_device(posix) -> str:
    """A file that takes no byte: a disk that is full."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    return "/dev/full"
