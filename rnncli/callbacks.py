"""Functions that a caller may pass to be told of the work."""

from collections.abc import Callable

OnProgress = Callable[[float], object]  # is told the fraction of the work that is done, now and then
