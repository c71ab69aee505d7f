"""The loop of a training."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lm.network import Network
from ..lm.network_config import extended_values, initial_values
from ..lm.perplexity import SEQUENCES, mean_loss, perplexity
from ..model import Model
from ..nn.optimizers import OPTIMIZERS
from ..nn.threads import Threads
from ..text.batches import excerpt, parallel_sequences
from ..text.corpus import Corpus, Sources
from . import recovery
from .clock import PROBE_WORDS, SAVING_SECONDS, TUNING_FRACTION, WATCHING_FRACTION, Clock, affordable_words
from .finish import CACHE_FILLS_PER_SEQUENCE, MAX_TUNING_WORDS, ModelBuilder
from .plan import Options, Plan, make_plan
from .report import Progress, Report
from .state import SinceReport, TrainingState
from .step import Stepper

if TYPE_CHECKING:
    from typing_extensions import Self

LAST_STEP_FRACTION = 0.99  # the progress of the single step of a training whose time is up before it
REPORTS_BY_CLOCK = 10


class Trainer:
    """Trains a network on a corpus: iterate over `run()`, then take `best()`."""

    def __init__(
        self,
        plan: Plan,
        corpus: Corpus,
        values: Mapping[str, np.ndarray] | None = None,
        *,
        state: TrainingState | None = None,
        began: float | None = None,
    ):
        """Begin with the network's `values`, or with random ones; or go on from a `state`.

        `began` is when the time of the training began to run, by `time.perf_counter`; by default now.
        """
        began = time.perf_counter() if began is None else began
        self.plan = plan
        self.corpus = corpus
        self.sequences = parallel_sequences(corpus.train, plan.training.batch_size)
        self.threads = Threads(plan.training.threads)
        self.state = state or self._initial_state(values)
        self.stepper = Stepper(plan, self.state, self.sequences, corpus.counts(), self.threads)
        self.clock = Clock(plan, self.state, len(self.sequences) - 1, began)
        self.builder = ModelBuilder(plan, corpus, self.threads)
        if not state:
            recovery.keep_best(self.state, math.inf)
            self._budget()
        self.watched = excerpt(corpus.valid, self.state.watched_words, SEQUENCES)
        if not state:
            self.state.watched_words = len(self.watched)
            if plan.is_fine_tuning:
                self.measure()  # the network may be the best already
            # The schedule of the learning rate begins after the preparations.
            self.state.budget.start = self.clock.now()
        else:
            self.clock.began = time.perf_counter() - state.budget.elapsed  # the time runs on from here

    @classmethod
    def start(
        cls,
        sources: Sources,
        *,
        init: Model | None = None,
        on_read: Callable[[Corpus], object] = lambda corpus: None,
        **options: Any,
    ) -> Self:
        """Prepare the training of a model on the texts in `sources`: files, folders, "-" for standard input.

        The options are declared in `rnncli.options`. With a model as `init`, the training goes on from it: the
        tokenizer, the unit and the network's shape are the model's, and its vocabulary grows by the words that occur
        `min_count` times in the new text; to the network they are at first what unknown words are. `on_read` is told
        the text when it has been read.
        Raises `TextError` for a text that cannot be read, `SettingError` for an option that makes no sense.
        """
        began = time.perf_counter()
        given = Options.of(options, init)  # checked before the text is read
        plan, corpus = make_plan(given, sources, init)
        on_read(corpus)
        values = None
        if init and (network := init.lm.find(Network)):
            values = extended_values(network.values(), corpus.counts())
        return cls(plan, corpus, values, began=began)

    def _initial_state(self, values: Mapping[str, np.ndarray] | None) -> TrainingState:
        training = self.plan.training
        initial, noise = (np.random.default_rng(s) for s in np.random.SeedSequence(training.seed).spawn(2))
        if values is None:
            counts = self.corpus.counts()
            # Among the threads, where products have one each: in a small QR, several would only wait for each other.
            (values,) = self.threads.map(lambda rng: initial_values(self.plan.network, rng, counts), [initial])
        network = Network(self.plan.network, {name: value.copy() for name, value in values.items()})
        optimizer = OPTIMIZERS[training.optimizer](network.parameters, training.weight_decay)
        return TrainingState(network, optimizer, noise, network.zero_state(training.batch_size))

    def _budget(self) -> None:
        """Decide how much held-out text is watched for each report, and how much the mixture is tuned on at the end."""
        state = self.state
        valid = self.corpus.valid
        seconds = self.plan.training.time
        state.watched_words = len(valid)
        state.tuning_words = min(MAX_TUNING_WORDS, len(valid))
        if math.isinf(seconds):
            return
        state.watched_words, watching = affordable_words(
            self._watch, valid, WATCHING_FRACTION * seconds, state.watched_words
        )
        # The fuller the cache, the slower is a word.
        slowdown = max(1.0, CACHE_FILLS_PER_SEQUENCE * self.plan.training.cache_size / PROBE_WORDS)
        state.tuning_words, tuning = affordable_words(
            lambda ids: self.builder.tune(state.network, ids),
            valid,
            TUNING_FRACTION * seconds,
            state.tuning_words,
            slowdown,
        )
        # The time for the steps and all reports but the last one: the last report, tuning and saving come after it.
        state.budget.end = max(seconds - watching - tuning - SAVING_SECONDS, seconds / 2)

    def run(self) -> Iterator[Progress]:
        """Train to the end. A training whose validation has not improved for `patience` reports ends early.

        A training whose loss is no longer finite goes back to the best network, and on with half the learning rate;
        where that does not help either, it ends with the best model, or raises `TrainingError` if there is none yet.
        """
        state = self.state
        if not state.step:  # a training whose time is up still takes a step
            state.fraction = min(self.clock.fraction(), LAST_STEP_FRACTION)
        while state.fraction < 1 and not state.gave_up:
            if state.step and state.best.reports_since >= self.plan.training.patience and not state.cooldown:
                recovery.cool_down(state, self.clock.epochs())
            before = state.fraction
            if not self.stepper.step():
                recovery.roll_back(state, self.plan)
            is_epoch_over = state.position >= len(self.sequences) - 1
            if is_epoch_over:
                state.epochs += 1
                state.position = 0
                state.carried = state.network.zero_state(self.sequences.shape[1])
            state.fraction = self.clock.fraction()
            is_due = is_epoch_over
            if math.isfinite(self.plan.training.time):
                is_due = math.floor(REPORTS_BY_CLOCK * state.fraction) > math.floor(REPORTS_BY_CLOCK * before)
            progress = self._progress()
            yield replace(progress, report=self.report()) if is_due or state.fraction >= 1 else progress

    def measure(self) -> float:
        """Return the perplexity on validation; where it is the best so far, keep the values.

        Words that have missed steps of the optimizer catch up first, which may change their values.
        """
        state = self.state
        with np.errstate(over="ignore", invalid="ignore"):
            state.optimizer.catch_up(everything=True)
        valid_perplexity = perplexity(self._watch(self.watched))
        state.best.reports_since += 1
        if valid_perplexity < state.best.perplexity:
            recovery.keep_best(state, valid_perplexity)
        return valid_perplexity

    def report(self) -> Report:
        """Measure the network, and report on the steps since the last report."""
        state = self.state
        rate = self.stepper.learning_rate()
        valid_perplexity = self.measure()
        if not math.isfinite(valid_perplexity):
            recovery.roll_back(state, self.plan)
        report = Report(
            epoch=self.clock.epochs(),
            step=state.step,
            words=state.words,
            seconds=state.seconds,
            words_per_second=self._words_per_second(),
            learning_rate=rate,
            train_perplexity=self._train_perplexity(),
            valid_perplexity=valid_perplexity,
        )
        state.history.append(report)
        state.recent = SinceReport()
        self.clock.now()  # a state that is kept now includes the time of this measurement
        return report

    def best(self) -> Model:
        """Return the network that did best on validation, joined with the other parts and tuned.

        A training that was left before its first report is measured now. Raises `TrainingError` where no network
        predicted the validation text at all.
        """
        if self.state.step and math.isinf(self.state.best.perplexity) and not self.state.history:
            self.measure()
        return self.builder.model(self.state)

    def _watch(self, ids: np.ndarray) -> float:
        """Return the mean loss of the network on held-out words."""
        return mean_loss(self.state.network, ids, self.threads.map)

    def _words_per_second(self) -> float:
        return self.state.recent.words / max(self.state.recent.seconds, 1e-9)

    def _train_perplexity(self) -> float:
        recent = self.state.recent
        return perplexity(recent.loss / recent.words) if recent.words else math.nan

    def _progress(self) -> Progress:
        state = self.state
        return Progress(
            math.ceil(self.clock.epochs()),
            state.fraction,
            self._words_per_second(),
            self._train_perplexity(),
            is_cooling_down=state.cooldown is not None,
        )
