"""What `mpiexec` and its kin tell a process that they start."""

from __future__ import annotations

import os
from collections.abc import Mapping

# The number of ranks and that of this one: by MPICH and its kin, by Open MPI.
COUNT_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK")


def started_ranks(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many ranks a launcher has started, 1 without one."""
    counts = (environment.get(name, "") for name in COUNT_VARIABLES)
    return max([1, *(int(count) for count in counts if count.isdecimal())])


def started_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return the number that a launcher has given to this process, 0 without one."""
    numbers = (environment.get(name, "") for name in RANK_VARIABLES)
    return max([0, *(int(number) for number in numbers if number.isdecimal())])
