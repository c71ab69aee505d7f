"""Learning the lines that a person accepts: at once, into a model, and into a plain file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import ModelError, RnncliError
from .options import FILE_PATH
from .signals import deferred_stop, exit_by

if TYPE_CHECKING:
    from ..lm.personal import LearnedText
    from ..model import Model

FILE = "personal.npz"
LOCK_SECONDS = 30.0  # that one program waits for another to write what it has learned

Function = TypeVar("Function", bound=Callable[..., Any])


def learned_file(path: Path, model: Model) -> Path:
    """The file of what the `model` at `path` learns: its own if it has learned before, else a new one."""
    from ..learned import learned_texts
    from ..storage.atomic import DEFAULT_FOLDER

    return path if learned_texts(model) else DEFAULT_FOLDER / FILE


def check_replaced(output: Path, path: Path, model: Model, is_named: bool = False) -> None:
    """Refuse to replace a model that has learned texts which the `model` at `path` has not.

    One that has learned nothing, such as a training of texts called personal.txt, is replaced only where it `is_named`.
    """
    if output.exists() and output.resolve() != path.resolve():
        go_on = f"go on from it with -m {output}, or name another file"
        check_nothing_lost(output, replaced_texts(output, is_named), [model], go_on)


def replaced_texts(output: Path, is_named: bool = False) -> tuple[LearnedText, ...]:
    """Return what the model at `output` has learned. Refuse one that has learned nothing, unless it `is_named`."""
    from ..learned import learned_texts
    from ..storage.model_file import load

    texts = learned_texts(load(output))
    if not texts and not is_named:
        raise ModelError(f"{output} is there, and has learned nothing: name another file, or remove that one")
    return texts


def check_nothing_lost(output: Path, texts: Iterable[LearnedText], models: Iterable[Model], remedy: str) -> None:
    """Raise an error that names the `remedy` if one of the `texts` at `output` was learned by none of the `models`."""
    from ..learned import learned_texts

    known = {text.sha256 for model in models for text in learned_texts(model)}
    lost = [text.name for text in texts if text.sha256 not in known]
    if lost:
        raise ModelError(f"{output} has learned {', '.join(lost)}, which would be lost: {remedy}")


def has_learned(path: Path) -> bool:
    """Whether there is a model at `path` that has learned texts; a damaged one has not."""
    return bool(_learned_at(path))


def check_learned_stays(output: Path, source: Path | None) -> None:
    """Refuse to replace a model that has learned texts which the one at `source`, from which it is made, has not.

    A damaged one may be replaced.
    """
    from ..storage.model_file import load

    if texts := _learned_at(output):
        sources = [load(source, checked=False)] if source else []
        check_nothing_lost(output, texts, sources, "name another file with -o")


def _learned_at(path: Path) -> tuple[LearnedText, ...]:
    """Return what the model at `path` has learned; nothing if there is no sound one."""
    from ..learned import learned_texts
    from ..storage.model_file import load

    try:
        return learned_texts(load(path, checked=False)) if path.is_file() else ()
    except ModelError:
        return ()


def learning_options(what: str) -> Callable[[Function], Function]:
    """The options that make a command learn `what` it is given."""

    def add(function: Function) -> Function:
        kept = click.option(
            "--learn-to", type=FILE_PATH, metavar="FILE", help=f"Add {what} to this file, for `rnncli learn` or others."
        )
        learned = click.option(
            "--learn",
            is_flag=True,
            help=f"Learn {what}, as `rnncli learn` does. In the end the model is written to models/{FILE}; one that has"
            " learned before is replaced.",
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
        from ..tasks.learn import learn_lines
        from ..text.decoding import is_undecoded

        lines = [line for text in lines if not is_undecoded(text) for line in text.splitlines() if line.strip()]
        if not lines:
            return
        if self.learns:
            self.lines += lines  # first: what is accepted is kept, whatever comes in between
        if self.path:
            _append(self.path, lines)
        if self.learns:
            before = self.model
            self.model = learn_lines(before, lines, tuned=False)
            if self.model is before:  # there was no word in them
                del self.lines[-len(lines) :]

    def after(self, batches: Iterable[list[str]]) -> Iterator[list[str]]:
        """Yield batches of prompts, and learn each one when the next is asked for: when it was answered.

        A prompt with a blank is no text that somebody has written.
        """
        from ..tasks.fill import BLANK

        for batch in batches:
            yield batch
            if self.learns or self.path:
                self.add(line for line in batch if not BLANK.search(line))


def _check_text(path: Path) -> None:
    """Refuse a file to which no line can be added, before one is accepted."""
    from ..storage.atomic import CHECKPOINT, MODEL, check_folder, is_kind

    check_folder(path)
    if path.is_file() and path.stat().st_size:
        for kind in (MODEL, CHECKPOINT):
            if is_kind(path, kind):
                raise ModelError(f"{path} is {kind.name}, and --learn-to adds lines to a text: name another file")


def _append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a file, after the end of its last one."""
    try:
        text = "".join(f"{line}\n" for line in lines)
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                file.seek(-1, 2)
                text = text if file.read() == b"\n" else f"\n{text}"
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise RnncliError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def learning(path: Path, model: Model, learns: bool, learn_to: Path | None) -> Iterator[LineLearner]:
    """Yield what learns lines; in the end, also if an error or Ctrl-C brings it, keep the model if it `learns`.

    `path` is that of the model.
    """
    learner = LineLearner(model, learns, learn_to)
    if learn_to:
        _check_text(learn_to)
    if not learns:
        yield learner
        return
    from ..storage.atomic import MODEL, check_writable
    from ..storage.locks import locked

    output = learned_file(path, model)
    check_writable(output, MODEL)
    check_replaced(output, path, model)
    with locked(output, "", LOCK_SECONDS):  # not by a training, which would replace it
        pass
    try:
        yield learner
    finally:
        if learner.lines:
            with deferred_stop() as stop:
                _keep(learner, path, output)
            if stop.signal:
                exit_by(stop.signal)


def _keep(learner: LineLearner, path: Path, output: Path) -> None:
    """Write the model; where that fails, or a training took its place, somewhere else, so that nothing is lost."""
    from ..storage.locks import locked
    from ..storage.model_file import save_somewhere

    failure = ""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(output, "", LOCK_SECONDS))
            if output.exists() and output.resolve() != path.resolve():
                replaced_texts(output)
        except ModelError as error:
            failure = str(error)
        try:
            model = _newest(learner, path, output)
        except RnncliError as error:
            model = learner.model
            if output.exists() or path.exists():  # it stays as it is
                failure = failure or str(error)
        written = save_somewhere(model, output, failure)
    if written.failure:
        raise ModelError(f"{written.failure}. The model is in {written.path} instead: move it to where it shall stay")


def _newest(learner: LineLearner, path: Path, output: Path) -> Model:
    """The model that has learned all lines, and what another program has learned into its file meanwhile.

    Raises `RnncliError` if the file is gone, or damaged, or cannot learn them.
    """
    from ..learned import learned_texts
    from ..storage.model_file import load
    from ..tasks.learn import learn_lines

    model = load(output) if output.exists() else None
    if model is None or not learned_texts(model):
        model = load(path)
    return learn_lines(model, learner.lines)
