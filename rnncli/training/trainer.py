"""The loop of a training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..learned import after_learning, before_learning
from ..lm.perplexity import perplexity
from ..lm.personal import LearnedText
from ..lm.tuning import Tuned
from ..model import Model
from ..options import TrainingOptions
from ..storage.atomic import CHECKPOINT
from ..storage.fallback import Written, write_somewhere
from ..storage.model_file import CHECKPOINT_SUFFIX
from ..text.batches import excerpts, parallel_sequences
from ..text.corpus import Corpus, Sources
from ..text.reading import listed
from . import recovery
from .beginning import Beginning
from .budget import allot, allot_anew, countable_words
from .checkpoint import Checkpoint, corpus_digests, opened, write_checkpoint
from .clock import Clock, is_over
from .crew import Crew, check_options_agree, check_texts_agree
from .finish import ModelBuilder
from .hooks import COUNTING, Hooks
from .plan import Options, Plan, make_plan
from .report import Progress, Report
from .resuming import check_corpus, check_init, environment, given_text, nothing_left, plan_to_resume
from .state import SinceReport, TrainingState
from .step import Stepper
from .texts import read_texts
from .watch import Watch

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
        init: Model | None = None,
        *,
        state: TrainingState | None = None,
        began: float | None = None,
        hooks: Hooks | None = None,
    ):
        """Begin with the networks of a model `init`, or with random ones; or go on from a `state`.

        `began` is when the time of the training began to run, by `hooks.now`; by default now.
        """
        hooks = hooks or Hooks()
        now = hooks.agreed_now
        began = now() if began is None else began
        self.learned: Sequence[LearnedText] = ()  # what the model had learned from which this training goes on
        self.plan = plan
        self.corpus = corpus
        self.sequences = parallel_sequences(corpus.training_text, plan.training.batch_size)
        self.crew = Crew(plan.training.threads, hooks.ranks)
        self.beginning = Beginning(plan, corpus, self.crew, init)
        self.state = state or self.beginning.state()
        if (here := environment(plan.training.threads, hooks.ranks.count)) not in self.state.environments:
            self.state.environments.append(here)
        self.stepper = Stepper(plan, self.state, self.sequences, corpus.counts(), self.crew, hooks.now)
        self.clock = Clock(plan, self.state, len(self.sequences) - 1, began, now)
        self.builder = ModelBuilder(plan, corpus, self.crew, init)
        if not state:
            self.state.counted_words = countable_words(plan, len(self.builder.text), self.builder.fit, now)
        self.builder.fit(self.state.counted_words, partial(hooks.report, COUNTING))
        if not state:
            allot(self.state, plan, corpus.valid, self._watch, self._tune, now)
        self.watch = self._watch_of(self.state.watched_words)
        if not state:
            self.state.watched_words = self.watch.words
            self._enter_network()
        else:
            self.clock.began = now() - state.budget.elapsed  # the time runs on from here

    @classmethod
    def start(
        cls,
        sources: Sources,
        *,
        init: Model | None = None,
        resume: Checkpoint | str | Path | None = None,
        hooks: Hooks | None = None,
        **options: Any,
    ) -> Self:
        """Prepare the training of a model on the texts in `sources`: files, folders, "-" for standard input.

        The options are declared in `rnncli.options`. With a model as `init`, the training goes on from it: the
        tokenizer, the unit and the network's shape are the model's, and its vocabulary grows by the words that occur
        `min_count` times in the new text; to the network they are at first what unknown words are.

        With a checkpoint to `resume`, a training that stopped goes on: on the same text, with the same `init`, and with
        the options that it began with. Some may be given anew, such as `epochs` and `time`, which count from the
        beginning.
        Raises `TextError` for a text that cannot be read, `SettingError` for an option that makes no sense,
        `ModelError` for a checkpoint that cannot be read.
        """
        hooks = hooks or Hooks()
        began = hooks.agreed_now()
        sources = listed(sources)
        base, learned = before_learning(init) if init else (None, ())
        check_options_agree(hooks.ranks, options)
        if resume is not None:
            trainer = cls._resumed(opened(resume), sources, base, options, hooks)
        else:
            given = Options.of(options, base)  # checked before the text is read
            plan, corpus = make_plan(given, sources, base, now=hooks.now, **hooks.reading())
            hooks.on_read(corpus)
            check_texts_agree(hooks.ranks, plan, corpus)
            trainer = cls(plan, corpus, base, began=began, hooks=hooks)
        trainer.learned = learned
        return trainer

    @classmethod
    def _resumed(
        cls, kept: Checkpoint, sources: Sources, init: Model | None, options: Mapping[str, Any], hooks: Hooks
    ) -> Self:
        """Go on from a checkpoint. The time that the text is read in once more does not count."""
        plan = plan_to_resume(kept.plan, options, sources)
        check_init(plan, init)
        text = given_text(plan)
        _, corpus = read_texts(text, sources, init, reads_as_model=plan.reads_as_model, **hooks.reading())
        hooks.on_read(corpus)
        check_corpus(kept, plan, corpus)
        check_texts_agree(hooks.ranks, plan, corpus)
        trainer = cls(plan, corpus, init, state=kept.state, hooks=hooks)
        has_new_limits = trainer._extend(kept.plan.training)
        if trainer.is_over and (has_new_limits or kept.has_model):
            raise nothing_left(trainer.clock.epochs(), trainer.state.budget.elapsed)
        return trainer

    def _extend(self, before: TrainingOptions) -> bool:
        """Go on as long as the plan says. Returns whether that is not as long as the options said before."""
        state = self.state
        now = self.plan.training
        if (now.epochs, now.time) == (before.epochs, before.time):
            return False
        allot_anew(state, self.plan, self.corpus.valid, self._watch, self._tune, self.clock.time)
        is_longer = now.epochs > before.epochs or now.time > before.time
        if self.is_over or (is_longer and state.cooldown):
            recovery.forget_end(state)
        if state.step:
            state.fraction = self.clock.fraction()
        return True

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train."""
        return is_over(self.plan, self.state)

    @cached_property
    def corpus_digests(self) -> dict[str, str]:
        """Hashes of the corpus, for checkpoints."""
        return corpus_digests(self.corpus)

    def save_checkpoint(self, path: str | Path, *, has_model: bool = False) -> Written:
        """Keep the training in a file, between two steps: see `start`. Tells where the file is.

        That is `path`, or another place if it cannot be written there. `has_model` keeps that the training is over and
        its model saved. Raises `ModelError` if the file cannot be written at all.
        """
        kept = Checkpoint(self.plan, self.corpus_digests, self.state, has_model)
        return write_somewhere(path, lambda file: write_checkpoint(file, kept), CHECKPOINT, CHECKPOINT_SUFFIX)

    def run(self) -> Iterator[Progress]:
        """Train to the end. A training whose validation has not improved for `patience` reports ends early.

        A training whose loss is no longer finite goes back to the best network, and on with half the learning rate;
        where that does not help either, it ends with the best model, or raises `TrainingError` if there is none yet.
        """
        state = self.state
        if not state.step:  # a training whose time is up still takes a step
            state.fraction = min(self.clock.fraction(), LAST_STEP_FRACTION)
        while not self.is_over:
            if state.is_report_due:  # the ranks were lost before it
                yield replace(self._progress(), report=self.report())
                continue
            if state.is_network_over:
                self.beginning.next_network(state)
                self._enter_network()
            if state.step and state.best.reports_since >= self.plan.training.patience and not state.cooldown:
                recovery.cool_down(state, self.clock.epochs())
            before = state.fraction
            try:
                if not self.stepper.step():
                    recovery.roll_back(state, self.plan)
            finally:  # the ranks may be lost after it
                self._advance(before)
            progress = self._progress()
            yield replace(progress, report=self.report()) if state.is_report_due else progress

    def _advance(self, fraction: float) -> None:
        """Find out what is over after a step, before which so much of the training was done."""
        state = self.state
        is_epoch_over = state.position >= len(self.sequences) - 1
        if is_epoch_over:
            state.epochs += 1
            state.position = 0
            state.carried = state.network.zero_state(self.sequences.shape[1])
        state.fraction = self.clock.fraction()
        by_clock = math.floor(REPORTS_BY_CLOCK * state.fraction) > math.floor(REPORTS_BY_CLOCK * fraction)
        is_due = by_clock if math.isfinite(self.plan.training.time) else is_epoch_over
        state.is_report_due = is_due or state.is_network_over

    def _enter_network(self) -> None:
        if self.plan.is_fine_tuning:
            self.measure()  # the network may be the best already
        # The schedule of the learning rate begins after the preparations.
        self.state.budget.start = self.clock.now()

    def measure(self) -> float:
        """Return the perplexity of the averaged network on validation; where it is the best so far, keep it."""
        state = self.state
        self.stepper.settle()
        valid_perplexity = perplexity(self.watch.loss(state.averaged))
        if valid_perplexity < state.best.perplexity:
            recovery.keep_best(state, valid_perplexity)
        return valid_perplexity

    def report(self) -> Report:
        """Measure the network, and report on the steps since the last report."""
        state = self.state
        rate = self.stepper.learning_rate()
        valid_perplexity = self.measure()
        recovery.count_report(state, valid_perplexity)
        if not math.isfinite(valid_perplexity):
            recovery.roll_back(state, self.plan)
            self.stepper.team.begin_anew()
        report = Report(
            epoch=self.clock.epochs(),
            step=state.step,
            words=state.words,
            seconds=state.seconds,
            words_per_second=self.state.recent.words_per_second,
            learning_rate=rate,
            train_perplexity=self._train_perplexity(),
            valid_perplexity=valid_perplexity,
            network=len(state.trained) + 1,
        )
        state.history.append(report)
        state.recent = SinceReport()
        state.is_report_due = False
        self.clock.now()  # a state that is kept now includes the time of this measurement
        return report

    def best(self) -> Model:
        """Return the network that did best on validation, joined with the other parts and tuned.

        A training that was left before its first report is measured now. Raises `TrainingError` where no network
        predicted the validation text at all.
        """
        if self.is_over and self.state.is_report_due:  # the ranks were lost before it
            self.report()
        elif self.state.step and math.isinf(self.state.best.perplexity) and not self.state.history:
            self.measure()
        return after_learning(self.builder.model(self.state), self.learned)

    def _watch_of(self, words: int) -> Watch:
        """Return the watch on so many of the held-out words."""
        return Watch(self.corpus.valid, words, self.builder.fitted_ngram, self.crew.map)

    def _watch(self, ids: np.ndarray) -> float:
        """Predict about as many held-out words as these, as the watch will."""
        return Watch(self.corpus.valid, len(ids), None, self.crew.map).loss(self.state.network)

    def _tune(self, ids: np.ndarray) -> Tuned:
        """Tune the mixture with the network as it is, on a piece of the text for each thread."""
        return self.builder.tune([self.state.network], excerpts(ids, len(ids), self.crew.count))

    def _train_perplexity(self) -> float:
        recent = self.state.recent
        return perplexity(recent.loss / recent.words) if recent.words else math.nan

    def _progress(self) -> Progress:
        state = self.state
        return Progress(
            math.ceil(self.clock.epochs()),
            (len(state.trained) + state.fraction) / self.plan.training.networks,
            self.state.recent.words_per_second,
            self._train_perplexity(),
            is_cooling_down=state.cooldown is not None,
            network=len(state.trained) + 1,
        )
