"""The command line: one module for each command, and what they share."""

import errno
import os
import sys
from importlib import import_module
from io import TextIOWrapper

import click

from .. import __version__
from ..errors import RnncliError, SettingError
from .output import FAILED, send, visible

# Every command, in the order of use: the module it is in, and what it does. Only the one that runs is imported.
COMMANDS = {
    "train": ("train", "Learn from a text."),
    "predict": ("predict", "Rank the words that may come next."),
    "generate": ("generate", "Write on after a prompt."),
    "score": ("score", "Tell how likely each line of a text is."),
    "type": ("keyboard", "Write a line with the next words on offer."),
    "evaluate": ("evaluate", "Measure how well a model predicts a text."),
    "info": ("info", "Show what a model file holds."),
    "export": ("export", "Write a part of a model in a format of other programs."),
    "completion": ("completion", "Print what makes a shell complete commands."),
}

# What may have been meant where there are too many arguments.
HINTS = {
    "generate": "A prompt of several words needs quotes around it",
    "type": "A text of several words needs quotes around it",
    "score": 'There is one file to score; a sentence comes by a pipe: echo "The keys are here." | rnncli score',
    "info": "A model's name needs -m before it",
    "export": "A model's name needs -m before it",
}


class _Group(click.Group):
    """Imports commands when they are asked for, and turns what can go wrong into one line and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context | None, name: str) -> click.Command | None:
        if name in COMMANDS and name not in self.commands:
            command = import_module(f".{COMMANDS[name][0]}", __name__).command
            with_defaults_by_environment(command)
            self.add_command(command, name)
        return self.commands.get(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" The commands are {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments, **options) -> click.Context:
        try:
            return super().make_context(*arguments, **options)
        except OSError as error:  # of --help or --version
            _write_no_more()
            raise click.ClickException(f"cannot write: {error.strerror}") from error

    def invoke(self, ctx: click.Context):
        try:
            try:
                super().invoke(ctx)
            finally:
                send()
            ctx.exit(1 if ctx.meta.get(FAILED) else 0)
        except SettingError as error:
            name = ctx.invoked_subcommand
            context = click.Context(self.get_command(ctx, name), parent=ctx, info_name=name)
            raise click.UsageError(visible(str(error)), context) from error
        except click.UsageError as error:
            if error.message.startswith("Got unexpected extra argument"):
                error.message += f". {HINTS[ctx.invoked_subcommand]}." if ctx.invoked_subcommand in HINTS else "."
            raise
        except RnncliError as error:
            raise click.ClickException(visible(str(error))) from error
        except MemoryError:
            raise click.ClickException("not enough memory: try smaller sizes, or a smaller text") from None
        except OSError as error:
            _write_no_more()
            if error.errno == errno.EPIPE:  # the reader has seen enough
                ctx.exit(128 + 13)  # as a program that SIGPIPE ends
            raise click.ClickException(f"{error.filename or 'cannot write'}: {error.strerror}") from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(130)


def _write_no_more() -> None:
    """Let what is left in the buffer go nowhere: it would fail again at the end, with a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Predict the next word, with a model of your own text.

    \b
    rnncli train corpus.txt
    rnncli predict "Tom is not good at science, so he will"
    """
    for stream in (sys.stdout, sys.stderr):
        # Words come from anywhere; a terminal that cannot show one is no reason to stop.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def with_defaults_by_environment(command: click.Command) -> None:
    """Let a variable of the environment, named after the command and the option, set each option's default."""
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len).lstrip("-").replace("-", "_")
            option.envvar = option.envvar or f"RNNCLI_{command.name}_{flag}".upper()
            option.show_envvar = True
