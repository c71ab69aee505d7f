"""What `import rnncli` offers: load, save, train, and a model with every task as a method."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from numpy.random import SeedSequence

from .callbacks import OnProgress
from .declaration import declarations, defaults
from .errors import TextError, quoted
from .model import Model
from .options import OPTION_CLASSES
from .storage import model_file
from .tasks.adapt import adapt
from .tasks.compress import compress
from .tasks.context import ContextCurve, context_curve
from .tasks.evaluate import Evaluation, evaluate
from .tasks.evidence import source_lines
from .tasks.explain import Explanation, explain
from .tasks.generate import Limits, generate
from .tasks.learn import forget, learn
from .tasks.mix import mix
from .tasks.predict import Prediction, predict_all
from .tasks.sampling import Sampling
from .tasks.score import Score, score_all
from .tasks.suggest import Suggester
from .text.corpus import Corpus, Sources
from .training import trainer
from .training.hooks import Hooks

F = TypeVar("F", bound=Callable[..., Any])
PACKAGE = Path(__file__).parent


def _ignore(fraction: float) -> None:
    """Show no progress."""


def _warn(warning: str) -> None:
    """Tell the caller of a method, as Python does, of texts that were left out."""
    level = 1
    frame: FrameType | None = inspect.currentframe()
    while frame and Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(warning, stacklevel=level)


class Predictor(Model):
    """A `Model` with every task as a method. Made by `rnncli.train` and `rnncli.load`."""

    @classmethod
    def of(cls, model: Model) -> Predictor:
        """Give a model its methods."""
        if isinstance(model, cls):
            return model
        return cls(model.lm, model.vocabulary, model.tokenizer, model.unit, model.about, model.detokenizer)

    def predict(self, prompt: str, n: int = 10, *, among: Sequence[str] = ()) -> list[Prediction]:
        """Return the `n` likeliest next words after `prompt`, best first, each with its probability; 0: all words.

        `among=["study", "play"]` ranks these words only.
        """
        return predict_all(self, [prompt], n, among=among)[0].predictions

    def complete(self, prompt: str, n: int = 10, *, among: Sequence[str] = ()) -> list[Prediction]:
        """Return the `n` likeliest words that the half-typed last word of `prompt` may become."""
        return predict_all(self, [prompt], n, among=among, complete=True)[0].predictions

    def fill(self, prompt: str, n: int = 10, *, among: Sequence[str] = ()) -> list[Prediction]:
        """Return the `n` likeliest words for the blank (`___`) in `prompt`."""
        if "___" not in prompt:
            raise TextError(f"{quoted(prompt)} has no blank: write ___ where a word is missing")
        return predict_all(self, [prompt], n, among=among)[0].predictions

    def explain(
        self, prompt: str, word: str | None = None, *, sources: Sources = (), progress: OnProgress = _ignore
    ) -> Explanation:
        """Explain how likely `word` is after `prompt`, by default the likeliest next word.

        Of the texts in `sources`, some lines are named that hold the word after the same last words.
        """
        return explain(self, prompt, word, lines=source_lines(sources) if sources else (), progress=progress)

    def suggester(self, n: int = 5) -> Suggester:
        """Return what suggests `n` words for a line as somebody types it."""
        return Suggester(self, n)

    def generate(
        self,
        prompt: str = "",
        words: int | None = None,
        *,
        sentences: int = 0,
        stop: Iterable[str] = (),
        seed: int | SeedSequence | None = None,
        temperature: float = Sampling.temperature,
        top_k: int = Sampling.top_k,
        top_p: float = Sampling.top_p,
        min_p: float = Sampling.min_p,
        repetition_penalty: float = Sampling.repetition_penalty,
        no_repeat: int = Sampling.no_repeat,
    ) -> str:
        """Return the text that goes on after `prompt`, `words` words long (50 if left open)."""
        sampling = Sampling(temperature, top_k, top_p, min_p, repetition_penalty, no_repeat)
        return "".join(generate(self, prompt, Limits(words, sentences, tuple(stop)), sampling, seed))

    def score(self, lines: Sequence[str]) -> list[Score]:
        """Score each of the `lines` by itself: its log-probability, and that of each word."""
        return score_all(self, [lines] if isinstance(lines, str) else lines)

    def evaluate(
        self, sources: Sources, encoding: str = "utf-8", *, dynamic: bool = False, progress: OnProgress = _ignore
    ) -> Evaluation:
        """Evaluate how well this model predicts the texts in `sources`; `dynamic`: while it learns from them."""
        return evaluate(self, sources, encoding, dynamic=dynamic, progress=progress, warn=_warn)

    def context_curve(
        self, sources: Sources, encoding: str = "utf-8", *, progress: OnProgress = _ignore
    ) -> ContextCurve:
        """Measure how well words are predicted from the last 1, 2, 4, ... words, and from all words before them."""
        return context_curve(self, sources, encoding, progress=progress, warn=_warn)

    def adapted(self, sources: Sources, encoding: str = "utf-8", *, progress: OnProgress = _ignore) -> Predictor:
        """Return a model that has read the texts in `sources` just now and learned from them; this one stays as it is.

        It knows the same words: `about["adapted_to"]` says how many of the text's words are unknown.
        """
        return adapt(self, sources, encoding, progress=progress, warn=_warn)

    def learned(self, sources: Sources, encoding: str = "utf-8") -> Predictor:
        """Return a model that has learned the texts in `sources`, with their new words; this one stays as it is."""
        return learn(self, sources, encoding, warn=_warn)

    def forgotten(self, names: Sequence[str] | None = None) -> Predictor:
        """Return a model that has not learned the texts of these `names`, or none at all; this one stays as it is."""
        return forget(self, names)

    def mixed(self, other: Model) -> Predictor:
        """Return a model that knows the words of this one and an `other`, and follows the one that predicts better."""
        return mix(self, other)

    def compressed(self, bits: int | None = None, ngrams: int | None = None) -> Predictor:
        """Return a model with 8 or 16 `bits` for each number of a matrix, and at most so many `ngrams`."""
        return compress(self, bits, ngrams)


class Trainer(trainer.Trainer):
    """A training: iterate over `run()` to watch it, or to end it early; then take `best()`."""

    def best(self) -> Predictor:
        """Return the model that did best on validation."""
        return Predictor.of(super().best())


def load(path: str | Path, *, checked: bool = True) -> Predictor:
    """Read a model from `path`. Raises `ModelError`, which says what is wrong, for anything but a sound model.

    Unless it is `checked`, two checks that read the whole file are left out: see `rnncli.storage.model_file.load`.
    """
    return Predictor.of(model_file.load(path, checked=checked))


def save(model: Model, path: str | Path) -> None:
    """Write a model to `path`: whole, or not at all. Raises `ModelError` where it cannot be written."""
    model_file.save(model, path)


def _with_options(function: F) -> F:
    """Give a function with `**options` the signature that has every option by name."""
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    declared = declarations(*OPTION_CLASSES)
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=declared[name].annotation)
        for name, default in defaults(*OPTION_CLASSES).items()
    ]
    function.__signature__ = signature.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    return function


def _warn_of_text(corpus: Corpus) -> None:
    for warning in corpus.facts.warnings:
        _warn(warning)


@_with_options
def start_training(
    sources: Sources, *, init: Model | None = None, resume: str | Path | None = None, **options: Any
) -> Trainer:
    """Prepare a training on the texts in `sources`: files, folders, "-" for standard input.

    The options are those of `rnncli train`, by their names in `rnncli.options`. With a model as `init`, the training
    goes on from it. With a file as `resume`, the training goes on that `Trainer.save_checkpoint` has kept there: on the
    same text, with the same `init`, and with the options that it began with; `epochs` and `time` may be given anew, and
    count from the beginning.
    Raises `TextError` for a text that cannot be read, `SettingError` for an option that makes no sense, and
    `ModelError` for a checkpoint that cannot be read.
    """
    training = Trainer.start(sources, init=init, resume=resume, hooks=Hooks(on_read=_warn_of_text), **options)
    for warning in training.builder.warnings:
        _warn(warning)
    return training


@_with_options
def train(sources: Sources, *, init: Model | None = None, **options: Any) -> Predictor:
    """Train a model on the texts in `sources`, and return the one that did best on validation.

    See `start_training`, which lets you watch the training, or end it early.
    """
    training = start_training(sources, init=init, **options)
    for _ in training.run():
        pass
    return training.best()
