"""The loop of a training."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from .. import __version__
from ..errors import TrainingError
from ..evaluation import STREAMS, mean_loss
from ..lm import ngram
from ..lm.mixture import STEPS, Mixture
from ..lm.network import Config, Network, initial_values
from ..lm.tuning import tune
from ..metrics import perplexity
from ..model import Model
from ..nn.optimizers import OPTIMIZERS, clip_by_global_norm
from ..nn.sampling import Sampler
from ..nn.schedules import SCHEDULES
from ..text.batches import excerpt, streams, window
from ..text.corpus import Corpus
from ..threads import Threads
from . import recipe
from .settings import Settings
from .state import Landing, Progress, Report, TrainingState
from .workers import Team

ALMOST = 0.99  # of a training; what is left is its last step
REPORTS = 10  # of a training by the clock
WATCHING_SHARE, TUNING_SHARE = 0.0015, 0.025  # of its time, for each report, and for tuning the parts at its end
SAVING = 1.0  # seconds kept for writing the model
TUNING = 100_000  # words of the held-out text, at most, that the parts' shares are tuned on
PIECES, FILLS = 8, 2  # how many pieces of it, at most, are read side by side; how often each can fill the cache
SOME = 4096  # words of the held-out text that are read to see how long that takes
LANDING = 0.5  # of the readings so far: what a training that gets no better takes to come to its end
ROLLBACKS = 5  # how often a training that diverges is taken up again, each time with half the learning rate


class Trainer:
    """Teaches a network a corpus: iterate over `run()`, then take `best()`."""

    def __init__(
        self,
        corpus: Corpus,
        config: Config,
        settings: Settings,
        values: dict[str, np.ndarray] | None = None,
        *,
        began: float | None = None,
    ):
        """The network's `values` are left to chance, or those of one that has learned already.

        `began` is when the time of `settings.time` began to run, by `time.perf_counter`; now if left out.
        """
        began = time.perf_counter() if began is None else began
        self.corpus, self.config = corpus, config
        fine_tuning = values is not None
        self.settings = settings = settings.settled(config, len(corpus.train), fine_tuning)
        self.words = streams(corpus.train, settings.batch_size)
        initial, chance = (np.random.default_rng(s) for s in np.random.SeedSequence(settings.seed).spawn(2))
        self.threads = Threads(settings.threads)
        if not fine_tuning:
            # Among the threads, where products have one each: in a small QR several would only wait for each other.
            (values,) = self.threads.map(lambda rng: initial_values(config, rng, corpus.counts()), [initial])
        network = Network(config, {name: value.copy() for name, value in values.items()})
        optimizer = OPTIMIZERS[settings.optimizer](network.named_parameters(), settings.weight_decay)
        self.samplers: list[Sampler] = []
        if settings.softmax == "sampled":
            sizes = settings.samples, max(settings.samples, recipe.LATE_SAMPLES)
            self.samplers = [Sampler(corpus.counts(), size) for size in sizes]
        self.state = TrainingState(network, optimizer, chance, network.blank(settings.batch_size))
        self._keep_best(math.inf)
        self.ngram = None
        if settings.ngram_order:
            self.ngram = ngram.count(corpus.train, config.vocabulary_size, settings.ngram_order, settings.prune)
        # How much of the held-out text is watched in between, and how much the parts are tuned on at the end.
        watched, tuned_on = len(corpus.valid), min(TUNING, len(corpus.valid))
        if settings.time:
            watched, watching = self._affordable(self._watch, WATCHING_SHARE, watched)
            # A word takes the longer, the more the cache holds.
            slower = max(1.0, FILLS * settings.cache_size / SOME)
            tuned_on, tuning = self._affordable(self._tuned, TUNING_SHARE, tuned_on, slower)
            # What is left to the steps, and to the reports but the last one.
            self.ends = began + max(settings.time - watching - tuning - SAVING, settings.time / 2)
        self.watched = excerpt(corpus.valid, watched, STREAMS)
        self.tuned_on = excerpt(corpus.valid, tuned_on, self._pieces(tuned_on))
        if fine_tuning:
            self.measure()  # the network may be the best already
        self.starts = time.perf_counter()  # so what the preparations took is not missing from the schedule's beginning

    def run(self) -> Iterator[Progress]:
        """Train to the end, which comes sooner where validation has not improved for `patience` reports.

        Then it goes back to the best values, and on from there while the learning rate falls fast. A training whose
        loss stops being a number goes back, too, and on with half the learning rate; where that does not help either,
        it ends with the best model, or raises `TrainingError` if there is none yet.
        """
        state = self.state
        team = Team(state.network, self.words.shape[1], self.threads)
        state.share = min(self._share(), ALMOST)  # a training whose time is up still takes a step
        while not self._is_over():
            if state.step and state.stale >= self.settings.patience and not state.landing:
                self._land()
            before = state.share
            self._step(team)
            due = state.position >= len(self.words) - 1
            if due:
                state.epochs, state.position = state.epochs + 1, 0
                state.carried = state.network.blank(self.words.shape[1])
            state.share = self._share()
            if self.settings.time:
                due = math.floor(REPORTS * state.share) > math.floor(REPORTS * before)
            progress = self._progress()
            yield replace(progress, report=self._report()) if due or state.share >= 1 else progress

    def measure(self) -> float:
        """The perplexity on validation; where it is the best so far, the values are kept.

        Words that have missed steps of the optimizer make up for them first, which may move their values.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            self.state.optimizer.catch_up(everything=True)
        valid_perplexity = perplexity(self._watch(self.state.network, self.watched))
        self.state.stale += 1
        if valid_perplexity < self.state.best_perplexity:
            self._keep_best(valid_perplexity)
        return valid_perplexity

    def best(self) -> Model:
        """The network that did best on validation, joined with the other parts as validation asks for.

        Raises `TrainingError` where none foresaw it at all.
        """
        if math.isinf(self.state.best_perplexity):
            raise TrainingError("no model came out that foresees the validation text: try a smaller learning rate")
        corpus, network = self.corpus, Network(self.config, self.state.best)
        lm, loss, alone = self._tuned(network, self.tuned_on)
        tuned = {
            "words": len(self.tuned_on),
            "perplexity": perplexity(loss),
            "perplexity_of_network": perplexity(alone),
        }
        about = {**self._about(), "tuning": {name: _finite(value) for name, value in tuned.items()}}
        return Model(lm, corpus.vocabulary, corpus.tokenizer, corpus.unit, about)

    def _tuned(self, network: Network, ids: np.ndarray) -> tuple[Mixture, float, float]:
        words = streams(ids, self._pieces(len(ids)))[1:]
        return tune(network, self.ngram, self.settings.cache_size, words, self.threads.map)

    def _pieces(self, words: int) -> int:
        """In how many pieces so many words are read for tuning: in each the cache should be full for most of it."""
        return min(PIECES, max(1, words // max(STEPS, FILLS * self.settings.cache_size)))

    def _watch(self, network: Network, ids: np.ndarray) -> float:
        return mean_loss(network, ids, self.threads.map)

    def _affordable(
        self, read: Callable[[Network, np.ndarray], Any], share: float, most: int, slower: float = 1.0
    ) -> tuple[int, float]:
        """How many held-out words may be read in a share of the time, and the seconds then.

        By how long some take now, and how many times `slower` reading becomes.
        """
        ids, began = self.corpus.valid[:SOME], time.perf_counter()
        read(self.state.network, ids)
        rate = slower * (time.perf_counter() - began) / len(ids)
        count = min(len(self.corpus.valid), most, max(SOME, int(share * self.settings.time / rate)))
        return count, count * rate

    def _epochs(self) -> float:
        """How often the text has been read."""
        return self.state.epochs + self.state.position / (len(self.words) - 1)

    def _share(self) -> float:
        """How much of the whole training is done, from 0 to 1: by the text, or by the clock where that is further."""
        share = self._epochs() / self.settings.epochs
        if self.settings.time:
            now = time.perf_counter()
            share = max(share, 1.0 if now >= self.ends else (now - self.starts) / (self.ends - self.starts))
        if landing := self.state.landing:
            share = max(share, landing.share + (1 - landing.share) * (self._epochs() / landing.epochs - 1) / LANDING)
        return min(share, 1.0)

    def _rate(self) -> float:
        return self.settings.lr * self.state.rate_scale * SCHEDULES[self.settings.schedule](self.state.share)

    def _is_over(self) -> bool:
        return self.state.share >= 1 or self.state.given_up

    def _step(self, team: Team) -> None:
        state, began = self.state, time.perf_counter()
        inputs, targets = window(self.words, state.position, self.settings.bptt)
        sampler = self.samplers[state.share >= recipe.LATE] if self.samplers else None
        draw = state.network.draw(inputs, targets, state.rng, sampler)
        state.network.use(inputs, draw.sample)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is dealt with here
            state.optimizer.catch_up()
            loss, carried = team.learn(inputs, targets, state.carried, draw)
            norm = clip_by_global_norm(state.network.named_parameters(), self.settings.clip)
            if math.isfinite(loss) and math.isfinite(norm):
                state.optimizer.step(self._rate())
                state.carried = carried
                state.recent_loss += loss * targets.size
                state.recent_words += targets.size
            else:
                self._roll_back()
        state.step += 1
        state.words += targets.size
        state.position += len(targets)
        elapsed = time.perf_counter() - began
        state.seconds += elapsed
        state.recent_seconds += elapsed

    def _report(self) -> Report:
        state = self.state
        rate = self._rate()
        valid_perplexity = self.measure()
        if not math.isfinite(valid_perplexity):
            self._roll_back()
        report = Report(
            epoch=self._epochs(),
            step=state.step,
            words=state.words,
            seconds=state.seconds,
            words_per_second=self._words_per_second(),
            learning_rate=rate,
            train_perplexity=self._train_perplexity(),
            valid_perplexity=valid_perplexity,
        )
        state.history.append(report)
        state.recent_loss, state.recent_words, state.recent_seconds = 0.0, 0, 0.0
        return report

    def _roll_back(self) -> None:
        """Go back to the best values, and on from there with half the learning rate."""
        state = self.state
        state.rollbacks += 1
        if state.rollbacks > ROLLBACKS:
            if math.isinf(state.best_perplexity):
                rate = self.settings.lr * state.rate_scale
                raise TrainingError(f"training diverged, even with a learning rate of {rate:.2g}: try a smaller one")
            state.given_up = True
        state.rate_scale /= 2
        state.stale = 0
        state.optimizer.reset()
        self._go_back()

    def _land(self) -> None:
        """Go back to the best values, and from here on to the end in a part of the readings that came before.

        The optimizer keeps its moments: after a reset its first steps would be as long as the rate allows.
        """
        self.state.landing = Landing(self._epochs(), self.state.share)
        self._go_back()

    def _go_back(self) -> None:
        """Take the best values again; what the streams remember is forgotten."""
        state = self.state
        for name, parameter in state.network.named_parameters().items():
            parameter.value[...] = state.best[name]
        state.carried = state.network.blank(self.words.shape[1])

    def _keep_best(self, valid_perplexity: float) -> None:
        self.state.best = {name: p.value.copy() for name, p in self.state.network.named_parameters().items()}
        self.state.best_perplexity = valid_perplexity
        self.state.stale = self.state.rollbacks = 0

    def _words_per_second(self) -> float:
        return self.state.recent_words / max(self.state.recent_seconds, 1e-9)

    def _train_perplexity(self) -> float:
        return perplexity(self.state.recent_loss / self.state.recent_words) if self.state.recent_words else math.nan

    def _progress(self) -> Progress:
        return Progress(
            math.ceil(self._epochs()),
            self.state.share,
            self._words_per_second(),
            self._train_perplexity(),
            landing=self.state.landing is not None,
        )

    def _about(self) -> dict[str, Any]:
        """What a model tells of its training. No times: the same training gives the same file."""
        corpus = self.corpus
        told = ("epoch", "step", "words", "learning_rate", "train_perplexity", "valid_perplexity")
        return {
            "corpus": {
                "name": corpus.name,
                "train_words": len(corpus.train),
                "valid_words": len(corpus.valid),
                "watched_words": len(self.watched),
                "sha256": corpus.sha256,
            },
            "settings": asdict(self.settings),
            "history": [{name: _finite(getattr(report, name)) for name in told} for report in self.state.history],
            "best_valid_perplexity": _finite(self.state.best_perplexity),
            "versions": {"rnncli": __version__, "numpy": np.__version__, "python": platform.python_version()},
        }


def _finite(value: float) -> float | None:
    """The value, or None for what JSON has no number for."""
    return value if math.isfinite(value) else None
