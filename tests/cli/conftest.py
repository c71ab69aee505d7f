import inspect
import os

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
