"""Learning the lines that a person accepts: at once, into a model, and into a plain file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import RnncliError
from .options import FILE_PATH

if TYPE_CHECKING:
    from ..model import Model

Function = TypeVar("Function", bound=Callable[..., Any])


def learning_options(what: str) -> Callable[[Function], Function]:
    """The options that make a command learn `what` it is given."""

    def add(function: Function) -> Function:
        kept = click.option(
            "--learn-to", type=FILE_PATH, metavar="FILE", help=f"Add {what} to this file, for `rnncli learn` or others."
        )
        learned = click.option(
            "--learn",
            is_flag=True,
            help=f"Learn {what} at once, as `rnncli learn` does, and keep the model in models/personal.npz in the end.",
        )
        return learned(kept(function))

    return add


class LineLearner:
    """A model that learns lines, and the file to which they are added."""

    def __init__(self, model: Model, learns: bool, path: Path | None):
        self.model = model
        self.learns = learns
        self.path = path
        self.lines: list[str] = []

    def add(self, lines: Iterable[str]) -> None:
        """Learn some lines."""
        from ..tasks.fill import BLANK
        from ..tasks.learn import learn_lines
        from ..text.reading import is_undecoded

        lines = [line for line in lines if line.strip() and not BLANK.search(line) and not is_undecoded(line)]
        if self.path and lines:
            try:
                with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
                    file.writelines(f"{line}\n" for line in lines)
            except OSError as error:
                raise RnncliError(f"cannot write {self.path}: {error.strerror}") from error
        if self.learns and lines:
            self.model = learn_lines(self.model, lines, tuned=False)
            self.lines += lines

    def after(self, batches: Iterable[list[str]]) -> Iterator[list[str]]:
        """Yield batches of lines, and learn each one when the next is asked for: when it was answered."""
        for batch in batches:
            yield batch
            if self.learns or self.path:
                self.add(batch)


@contextmanager
def learning(path: Path, model: Model, learns: bool, learn_to: Path | None) -> Iterator[LineLearner]:
    """Yield what learns lines; in the end, also if an error or Ctrl-C brings it, keep the model if it `learns`.

    `path` is that of the model.
    """
    from .learn import check_replaced, personal_file

    output = personal_file()
    is_new = not output.exists()
    if learns:
        from ..storage.atomic import MODEL, check_writable

        check_writable(output, MODEL)
        check_replaced(output, path, model)
    learner = LineLearner(model, learns, learn_to)
    try:
        yield learner
    finally:
        if learner.lines:
            from ..storage.model_file import load, save
            from ..tasks.learn import learn_lines

            # Another program may have learned meanwhile.
            is_begun = output.exists() and (is_new or output.resolve() == path.resolve())
            save(learn_lines(load(output if is_begun else path), learner.lines), output)
