"""The cores that fall to each of the ranks on a machine."""

import pytest


@pytest.mark.parametrize(
    ("places", "shares"),
    [
        ([("a", [0, 1, 2, 3]), ("a", [0, 1, 2, 3])], [2, 2]),
        ([("a", [0, 1]), ("a", [2, 3])], [2, 2]),  # bound to cores of their own
        ([("a", [0, 1, 2]), ("b", [0, 1, 2])], [3, 3]),  # the same numbers on two machines
        ([("a", [0, 1, 2])] * 3, [1, 1, 1]),
        ([("a", [0])] * 2, [1, 1]),
        ([("a", [0, 1, 2, 3])] * 2 + [("a", [4, 5])], [2, 2, 2]),
    ],
)
def test_ranks_share_the_cores_that_they_may_run_on(as_ranks, places, shares):
    def share(ranks) -> int:
        ranks.machine, cores = places[ranks.number]
        return ranks.share_of(cores)

    assert as_ranks(len(places), share) == shares
