"""Declares an option in one place: its type, its bounds, its default and its help.

The fields of an option class are declared with `option`. The command line, the Python signatures, the tables in the
documentation and the checks of values are all read from these declarations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, NamedTuple

from .errors import SettingError

BY_RULE: Any = None  # the value of an option that is left to its rule in `rnncli.training.recipe`


class Declaration(NamedTuple):
    """What is known about an option besides its name. A named tuple, as every start defines it: a dataclass is slow."""

    kind: type  # bool, int, float or str
    help: str
    by_rule: bool = False  # whether the value may be left open
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False  # whether `low` itself is outside
    high_open: bool = False
    flag: str = ""  # the name on the command line, where it is another one
    off_flag: str = ""  # for a bool: the flag that says no
    metavar: str = ""
    is_duration: bool = False  # whether the command line reads it as 90s, 10m or 1h
    is_count: bool = False  # whether the command line reads it as 20k or 1.5M
    is_optional: bool = False  # whether the command line has no value for it unless one is given: it is 0 then
    repeatable: bool = False  # whether it holds several paths
    fixed_by_model: bool = False  # whether a training that goes on from a model decides it itself
    may_change: bool = False  # whether a resumed training may have another value

    @property
    def annotation(self) -> Any:
        """The type of the option in a signature."""
        if self.repeatable:
            return "Sources"
        return self.kind | None if self.by_rule else self.kind

    def check(self, name: str, value: Any) -> None:
        """Raise `SettingError` for a value that this option cannot have."""
        if (value is None and self.by_rule) or self.repeatable:
            return
        if self.kind is bool:
            valid = isinstance(value, bool)
        elif self.kind is str:
            valid = isinstance(value, str)
        else:
            valid = self._is_number(value) and self._is_within(value)
        if not valid:
            raise SettingError(f"{name} is {value}, and must be {self._expected()}")
        if self.choices and value not in self.choices:
            raise SettingError(f"no {name} is called {value!r}: choose from {', '.join(self.choices)}")

    def _is_number(self, value: Any) -> bool:
        kinds = int if self.kind is int else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool)

    def _is_within(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def _expected(self) -> str:
        if self.kind in (bool, str):
            return "True or False" if self.kind is bool else "a text"
        noun = "whole number" if self.kind is int else "number"
        if self.high_open and math.isinf(self.high):
            noun = f"finite {noun}"
        if self.is_duration:
            noun = f"{noun} of seconds"
        low = f"above {self.low:g}" if self.low_open else f"from {self.low:g}"
        if math.isinf(self.high):
            return f"a {noun} {low}" + (" on" if not self.low_open else "")
        if self.high_open:
            return f"a {noun} {low}" + (" on" if not self.low_open else "") + f" and below {self.high:g}"
        return f"a {noun} {low} to {self.high:,}"


def option(default: Any, help: str, **declared: Any) -> Any:
    """Declare a field of an option class; `declared` are fields of `Declaration`.

    The type is that of the default. An option `BY_RULE` names its `kind`, and may be left open.
    """
    kind = declared.pop("kind", type(default))
    declaration = Declaration(kind, help, by_rule=default is BY_RULE, **declared)
    return field(default=default, metadata={"declaration": declaration})


def declarations(*classes: Any) -> dict[str, Declaration]:
    """The declared options of some option classes (or instances), by name and in order."""
    return {
        entry.name: entry.metadata["declaration"]
        for owner in classes
        for entry in fields(owner)
        if "declaration" in entry.metadata
    }


def defaults(*classes: Any) -> dict[str, Any]:
    """The default of every declared option."""
    return {
        entry.name: entry.default
        for owner in classes
        for entry in fields(owner)
        if "declaration" in entry.metadata and entry.default is not MISSING
    }


def check(options: Any) -> None:
    """Raise `SettingError` where a declared field of an option object has a value that makes no sense."""
    for name, declaration in declarations(options).items():
        declaration.check(name, getattr(options, name))


def check_names(given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise `SettingError` for an option that there is not, naming the nearest one that there is."""
    from difflib import get_close_matches  # not at the top: it costs a millisecond of every start

    known = list(known)
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(known)}"
            raise SettingError(f"no option is called {name!r}: {hint}")


def pick(given: Mapping[str, Any], owner: type) -> dict[str, Any]:
    """Those of the given options that an option class declares."""
    return {name: value for name, value in given.items() if name in declarations(owner)}
