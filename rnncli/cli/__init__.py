"""The command line: one module for each command, and what they share."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from io import TextIOWrapper
from signal import SIGINT
from typing import Any, NoReturn

import click

from ..errors import RnncliError, SettingError
from ..version import __version__
from .output import FAILED_KEY, discard_output, flush, readable, tell, wrapped
from .signals import exit_by, interruptible

# Every command, in the order of use: its module and what it does. Only the command that runs is imported.
COMMANDS = {
    "train": ("train", "Learn from a text."),
    "learn": ("learn", "Learn texts of your own in seconds."),
    "forget": ("forget", "Forget texts that were learned."),
    "predict": ("predict", "Rank the words that may come next."),
    "generate": ("generate", "Continue a prompt, or write a text."),
    "score": ("score", "Tell how likely each line of a text is."),
    "type": ("keyboard", "Write a line with the next words on offer."),
    "evaluate": ("evaluate", "Measure how well a model predicts a text."),
    "info": ("info", "Show what a model file holds."),
    "mix": ("mix", "Mix two models into one."),
    "compress": ("compress", "Make a model smaller."),
    "export": ("export", "Write a part of a model in a format of other programs."),
    "completion": ("completion", "Print a script that makes a shell complete commands."),
}

# What the user may have meant by too many arguments.
EXTRA_ARGUMENT_HINTS = {
    "generate": "A prompt of several words needs quotes around it",
    "type": "A text of several words needs quotes around it",
    "score": 'There is one file to score; a sentence comes by a pipe: echo "The keys are here." | rnncli score',
    "info": "A model's name needs -m before it",
    "export": "A model's name needs -m before it",
}

ERROR = "Error: "  # is before the messages that Click prints
TYPED_KEY = "rnncli.typed"  # of Click's context: the arguments of the program

EXIT_CLOSED_PIPE = 128 + 13  # as a program that SIGPIPE ends


class LazyGroup(click.Group):
    """Imports a command when it is asked for, and turns errors into one line and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            command: click.Command = import_module(f".{COMMANDS[cmd_name][0]}", __name__).command
            _name_variables(command)
            self.add_command(command, cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # Click suggests commands itself from 8.4 on, but only those that are imported already.
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" The commands are {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        typed = list(args)  # parsing takes them away
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except OSError as error:  # while it writes --help or --version
            discard_output()
            raise click.ClickException(f"cannot write: {error.strerror}") from error
        context.meta[TYPED_KEY] = typed
        return context

    def invoke(self, ctx: click.Context) -> NoReturn:
        try:
            with interruptible():
                try:
                    super().invoke(ctx)
                finally:
                    flush()
            ctx.exit(1 if ctx.meta.get(FAILED_KEY) else 0)
        except click.UsageError as error:
            from .ranks import told_once

            with told_once():
                raise _with_hint(error, ctx.invoked_subcommand or "", ctx.meta[TYPED_KEY]) from None
        except RnncliError as error:
            raise self._as_click_error(error, ctx) from error
        except MemoryError:
            raise click.ClickException(_shown("not enough memory: try smaller sizes, or a smaller text")) from None
        except OSError as error:
            discard_output()
            if error.errno == errno.EPIPE:  # the reader has seen enough
                ctx.exit(EXIT_CLOSED_PIPE)
            raise click.ClickException(_shown(f"{error.filename or 'cannot write'}: {error.strerror}")) from error
        except KeyboardInterrupt as interrupt:
            tell("Interrupted.")
            exit_by(*interrupt.args or [SIGINT])

    def _as_click_error(self, error: RnncliError, ctx: click.Context) -> click.ClickException:
        """An error of the library as the user of the command line reads it; with the usage if an option is wrong."""
        from .errors import in_options

        name = ctx.invoked_subcommand or ""
        commands = [self.get_command(ctx, name), self.get_command(ctx, "train")]  # a remedy may be to train anew
        message = _shown(in_options(error, filter(None, commands)))
        if isinstance(error, SettingError) and commands[0]:
            return click.UsageError(message, click.Context(commands[0], parent=ctx, info_name=name))
        return click.ClickException(message)


def _shown(message: str) -> str:
    """The message of an error as Click prints it, after a word of its own."""
    return wrapped(readable(message), ERROR).removeprefix(ERROR)


def _with_hint(error: click.UsageError, command: str, typed: list[str]) -> click.UsageError:
    """The error of too many arguments with what the user may have meant; one of an option with its name as typed."""
    from .errors import origin

    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option) and error.ctx:
        error.param_hint = origin(error.param, error.ctx, typed)
    message = readable(error.format_message())
    if message.startswith("Got unexpected extra argument"):
        message += f". {EXTRA_ARGUMENT_HINTS[command]}." if command in EXTRA_ARGUMENT_HINTS else "."
    return click.UsageError(_shown(message), error.ctx)


# Not Click's `auto_envvar_prefix`: then the message about a wrong value would not name the variable that it came from,
# and RNNCLI_VERSION and RNNCLI_HELP would have a meaning.
def _name_variables(command: click.Command) -> None:
    """Let a variable such as RNNCLI_TRAIN_HIDDEN_SIZE set the default of each option, and show it in --help."""
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len).lstrip("-").replace("-", "_")
            option.envvar = option.envvar or f"RNNCLI_{command.name}_{flag}".upper()
            option.show_envvar = True


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Predict the next word, with a model of your own text.

    \b
    rnncli train corpus.txt
    rnncli predict "Tom is not good at science, so he will"
    """
    for stream in (sys.stdout, sys.stderr):
        # The text may hold any character. One that a terminal cannot show is no reason to stop.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
