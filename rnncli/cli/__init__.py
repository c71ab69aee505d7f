"""The command line: one module for each command, and what they share."""

import errno
import os
import sys
from io import TextIOWrapper

import click

from .. import __version__
from ..errors import RnncliError, SettingError
from .evaluate import evaluate
from .export import export
from .generate import generate
from .info import info
from .output import visible
from .predict import predict
from .score import score
from .train import train


class _Group(click.Group):
    """Turns what can go wrong into one line and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of their use, not of the alphabet

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


for command in (train, predict, generate, score, evaluate, info, export):
    main.add_command(command)
