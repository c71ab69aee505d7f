import pytest
from click.testing import CliRunner

from rnncli.cli import main


@pytest.fixture
def invoke():
    """Run the command line inside of this process: `invoke("predict", "Tom", "-n", 3).stdout`."""

    def run(*arguments, input=None):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input, prog_name="rnncli")

    return run
