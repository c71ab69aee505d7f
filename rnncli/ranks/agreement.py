"""Finds out whether all ranks were given the same."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import SettingError
from .alone import Ranks


def check_alike(ranks: Ranks, facts: Mapping[str, object]) -> None:
    """Raise `SettingError` on all ranks where one has other facts than the first, such as "another text"."""
    told = ranks.all(dict(facts))
    for number, other in enumerate(told):
        for name, value in told[0].items():
            if other[name] != value:
                raise SettingError(
                    f"rank {number} has {name} than rank 0: give all ranks the same command, the same files and the"
                    " same version"
                )
