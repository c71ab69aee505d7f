"""Makes command-line options of options that are declared in `rnncli.options`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..declaration import Declaration, declarations, defaults
from ..training.recipe import RULES
from .options import DURATION, Count, Number, WholeNumber

F = TypeVar("F", bound=Callable[..., Any])


def declared_options(*classes: type) -> Callable[[F], F]:
    """Give a command every option of some option classes."""
    default_values = defaults(*classes)

    def decorate(function: F) -> F:
        # Click lists options in the order of their decorators, of which the last one is applied first.
        for name, declaration in reversed(declarations(*classes).items()):
            option = click.option(flag(name, declaration), **_attributes(name, declaration, default_values[name]))
            function = option(function)
        return function

    return decorate


def by_name(values: dict[str, Any], *classes: type) -> dict[str, Any]:
    """Rename the values of a command's parameters to the names of the options."""
    found = {name: (values[parameter(name, declared)], declared) for name, declared in declarations(*classes).items()}
    return {name: value or 0 if declared.is_optional else value for name, (value, declared) in found.items()}


def flag(name: str, declaration: Declaration) -> str:
    """Write an option as on the command line, with the flag that says no, if there is one."""
    no = f"/--{declaration.off_flag}" if declaration.off_flag else ""
    return f"--{parameter(name, declaration)}".replace("_", "-") + no


def parameter(name: str, declaration: Declaration) -> str:
    """Return the name of Click's parameter, from which the environment variable follows."""
    return declaration.flag or name


def _attributes(name: str, declaration: Declaration, default: Any) -> dict[str, Any]:
    """Return what Click is told of an option."""
    attributes: dict[str, Any] = {"help": declaration.help, "default": None if declaration.is_optional else default}
    if declaration.kind is bool:
        attributes["is_flag"] = True
        attributes["show_default"] = bool(declaration.off_flag) and default is not None
    else:
        attributes["type"] = _type(declaration)
        attributes["show_default"] = attributes["default"] not in (None, "") and not declaration.repeatable
    if declaration.repeatable:
        attributes["multiple"] = True
    if declaration.metavar:
        attributes["metavar"] = declaration.metavar
    if declaration.by_rule:
        attributes["help"] += f"  [default: {RULES[name].text}]"
    return attributes


def _type(declaration: Declaration) -> Any:
    """Return Click's type of an option's value."""
    if declaration.repeatable:
        return click.Path()
    if declaration.choices:
        return click.Choice(declaration.choices)
    if declaration.is_duration:
        return DURATION
    if declaration.kind is str:
        return click.STRING
    lowest = 1 if declaration.is_optional else declaration.low
    low = None if math.isinf(lowest) else lowest
    high = None if math.isinf(declaration.high) else declaration.high
    if declaration.kind is int:
        kind = Count if declaration.is_count else WholeNumber
        return kind(None if low is None else int(low), None if high is None else int(high))
    return Number(low, high, declaration.low_open, declaration.high_open and high is not None)
