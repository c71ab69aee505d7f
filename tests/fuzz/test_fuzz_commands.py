"""Some hundred random command lines, and those that failed once."""

import campaign
import commands
import pytest

CASES = 150


@pytest.mark.usefixtures("posix")
@pytest.mark.filterwarnings("ignore")
def test_random_command_lines_end_well_or_with_one_error():
    outcomes, defects = campaign.run(commands.check, range(CASES), seed=23)
    assert not defects, defects[0]
    assert sum(outcomes.values()) == CASES
