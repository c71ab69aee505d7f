"""The ranks of a job: processes, perhaps on several machines, that do one work together.

`rnncli.ranks.mpi` has those of MPI. Most jobs have one rank, which exchanges nothing.
"""

from .alone import Ranks as Ranks
