"""The command line: one module for each command, and what they share."""

import errno
import os
import sys
from io import TextIOWrapper

import click

from .. import __version__
from ..errors import RnncliError, SettingError
from .completion import completion
from .evaluate import evaluate
from .export import export
from .generate import generate
from .info import info
from .keyboard import type_command
from .options import with_defaults_by_environment
from .output import visible
from .predict import predict
from .score import score
from .train import train


class _Group(click.Group):
    """Turns what can go wrong into one line and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of their use, not of the alphabet

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args[0] not in self.commands and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.commands, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" The commands are {', '.join(self.commands)}."
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except SettingError as error:
            raise click.UsageError(visible(str(error)), ctx) from error
        except RnncliError as error:
            raise click.ClickException(visible(str(error))) from error
        except MemoryError:
            raise click.ClickException("not enough memory: try smaller sizes, or a smaller text") from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # the reader has seen enough: Click ends quietly
            # What is left in the buffer would fail again at the end, with a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise click.ClickException(f"{error.filename or 'cannot write'}: {error.strerror}") from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(130)


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


for command in (train, predict, generate, score, type_command, evaluate, info, export, completion):
    with_defaults_by_environment(command)
    main.add_command(command)
