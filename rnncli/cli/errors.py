"""Messages of the library in terms of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import click
from click.core import ParameterSource

from ..declaration import declarations
from ..errors import RnncliError, SettingError
from ..options import OPTION_CLASSES

# What a message quotes is the user's own text, and stays as it is.
QUOTED = r"(?<!\w)'(?:[^'\\]|\\.)*'"
ARGUMENT = r"(?<![\w'\"./-])(?P<name>[a-z_]+)=(?P<value>\"[^\"]*\"|[\w-]+(?:\.\d+)?(?![\w/\"]|\.\w))"
FIRST_WORD = r"^(?P<first>[a-z_]+)(?= (?:is|must)\b)"
MATCHES_NOTHING = "(?P<first>(?!))"


def in_options(error: RnncliError, commands: Iterable[click.Command]) -> str:
    """The message of an error with Python's arguments written as options.

    `encoding="latin-1"` becomes `--encoding latin-1`, if one of the `commands` has that option; the first command that
    has it decides. A `SettingError` may also begin with the bare name of an argument: `hidden_size is 0`.
    """
    renamed = {declared.flag: name for name, declared in declarations(*OPTION_CLASSES).items() if declared.flag}
    options: dict[str, click.Option] = {}
    for command in commands:
        for option in command.params:
            if isinstance(option, click.Option):
                flag = _longest(option.opts).lstrip("-").replace("-", "_")
                for name in filter(None, (option.name, flag, renamed.get(flag))):
                    options.setdefault(name, option)

    def replacement(match: re.Match[str]) -> str:
        option = options.get(match["name"] or match["first"] or "")
        if option is None:
            return match[0]
        if match["first"]:
            return _longest(option.opts)
        return _written(option, match["value"]) or match[0]

    patterns = [QUOTED, ARGUMENT, FIRST_WORD if isinstance(error, SettingError) else MATCHES_NOTHING]
    return re.sub("|".join(patterns), replacement, str(error))


def origin(option: click.Option, ctx: click.Context, typed: Sequence[str]) -> str:
    """Where the value of an option came from: its name in the arguments that were `typed`, or a variable."""
    if option.name and ctx.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT:
        return f"the variable {option.envvar}"
    names = [name for name in option.opts if any(_begins_with(argument, name) for argument in typed)]
    return f"'{_longest(names or option.opts)}'"


def _begins_with(argument: str, name: str) -> bool:
    """Whether an argument is an option of this name, with or without a value."""
    is_short = not name.startswith("--")
    return argument == name or argument.startswith(f"{name}=") or (is_short and argument.startswith(name))


def _written(option: click.Option, value: str) -> str:
    """An option with a value that is written as in Python; empty for a flag that cannot be turned off."""
    if option.is_flag:
        names = option.opts if value == "True" else option.secondary_opts
        return _longest(names)
    plain = value.strip('"')
    return f"{_longest(option.opts)} {value if ' ' in plain or not plain else plain}"


def _longest(names: list[str]) -> str:
    """The long form of an option, such as --model of -m and --model."""
    return max(names, key=len, default="")
