"""Training: the loop."""

import math
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from . import __version__
from .errors import TrainingError
from .evaluation import STEPS, mean_loss, perplexity
from .lm import mixture, ngram
from .lm.network import Config, Network, initial_values
from .model import Model
from .nn.optimizers import OPTIMIZERS, clip_by_global_norm
from .nn.sampling import Sampler
from .nn.schedules import SCHEDULES
from .settings import Settings
from .text.batches import streams, window
from .text.corpus import Corpus, Sources, read_corpus
from .text.tokenizers import Tokenizer
from .threads import Threads
from .training_state import Epoch, Progress, TrainingState
from .workers import Team

PRUNED = 2_500_000  # words; of a longer text n-grams that occurred once are left out
TUNING = 100_000  # words of the held-out text, at most, that the parts' shares are tuned on,
TUNING_STREAMS = 8  # read in so many places at once
ROLLBACKS = 5  # how often a training that diverges is taken up again, each time with half the learning rate


class Trainer:
    """Teaches a network a corpus: iterate over `run()`, then take `best()`."""

    def __init__(self, corpus: Corpus, config: Config, settings: Settings):
        self.corpus, self.config = corpus, config
        self.settings = settings = settings.settled(len(corpus.train), config.vocabulary_size, config.cell)
        # A small text is cut into fewer streams, so that each is still some ten windows long.
        batch = min(settings.batch_size, max(1, len(corpus.train) // (10 * settings.bptt)))
        self.words = streams(corpus.train, batch)
        initial, chance = (np.random.default_rng(s) for s in np.random.SeedSequence(settings.seed).spawn(2))
        self.threads = Threads(settings.threads)
        # Among the threads, where products have one each: in a small QR several would only wait for each other.
        (values,) = self.threads.map(lambda rng: initial_values(config, rng, corpus.counts()), [initial])
        network = Network(config, values)
        optimizer = OPTIMIZERS[settings.optimizer](network.named_parameters(), settings.weight_decay)
        self.sampler = Sampler(corpus.counts(), settings.samples) if settings.softmax == "sampled" else None
        self.state = TrainingState(network, optimizer, chance, network.blank(batch))
        self._keep_best(math.inf)

    def run(self) -> Iterator[Progress]:
        """Train to the end, or until validation has not improved for `patience` epochs.

        A training whose loss stops being a number goes back to the best model and on with half the learning rate. If
        that does not help either, it ends with the best model, or raises `TrainingError` where there is none yet.
        """
        state = self.state
        team = Team(state.network, self.words.shape[1], self.threads)
        while not self._is_over():
            self._step(team)
            finished = self._end_epoch() if state.position >= len(self.words) - 1 else None
            yield self._progress(finished)

    def measure(self) -> float:
        """The perplexity on validation; where it is the best so far, the values are kept.

        Words that have missed steps of the optimizer make up for them first, which may move their values.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            self.state.optimizer.catch_up(everything=True)
        valid_perplexity = perplexity(mean_loss(self.state.network, self.corpus.valid, self.threads.map))
        self.state.stale += 1
        if valid_perplexity < self.state.best_perplexity:
            self._keep_best(valid_perplexity)
        return valid_perplexity

    def best(self) -> Model:
        """The network that did best on validation, joined with the other parts as validation asks for."""
        corpus, settings, network = self.corpus, self.settings, Network(self.config, self.state.best)
        grams = None
        if settings.ngram_order:
            prune = len(corpus.train) > PRUNED
            grams = ngram.count(corpus.train, self.config.vocabulary_size, settings.ngram_order, prune)
        held_out = corpus.valid[:TUNING]
        held_out = streams(held_out, min(TUNING_STREAMS, max(1, len(held_out) // (4 * STEPS))))[1:]
        whole, loss = mixture.tune(network, grams, settings.cache_size, held_out, self.threads.map)
        about = {**self._about(), "valid_perplexity": _finite(perplexity(loss))}
        return Model(whole, corpus.vocabulary, corpus.tokenizer, corpus.unit, about)

    def _share(self) -> float:
        """How much of the whole training is done, from 0 to 1."""
        return (len(self.state.history) + self.state.position / (len(self.words) - 1)) / self.settings.epochs

    def _rate(self) -> float:
        return self.settings.lr * self.state.rate_scale * SCHEDULES[self.settings.schedule](self._share())

    def _is_over(self) -> bool:
        state = self.state
        return len(state.history) >= self.settings.epochs or state.stale >= self.settings.patience or state.given_up

    def _step(self, team: Team) -> None:
        state, began = self.state, time.perf_counter()
        inputs, targets = window(self.words, state.position, self.settings.bptt)
        draw = state.network.draw(inputs, targets, state.rng, self.sampler)
        state.network.use(inputs, draw.sample)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is dealt with here
            state.optimizer.catch_up()
            loss, carried = team.learn(inputs, targets, state.carried, draw)
            norm = clip_by_global_norm(state.network.named_parameters(), self.settings.clip)
            if math.isfinite(loss) and math.isfinite(norm):
                state.optimizer.step(self._rate())
                state.carried = carried
                state.epoch_loss += loss * targets.size
                state.epoch_words += targets.size
            else:
                self._roll_back()
        state.step += 1
        state.words += targets.size
        state.position += len(targets)
        elapsed = time.perf_counter() - began
        state.seconds += elapsed
        state.epoch_seconds += elapsed

    def _end_epoch(self) -> Epoch:
        state = self.state
        rate = self._rate()
        valid_perplexity = self.measure()
        if not math.isfinite(valid_perplexity):
            self._roll_back()
        epoch = Epoch(
            epoch=len(state.history) + 1,
            step=state.step,
            words=state.words,
            seconds=state.seconds,
            words_per_second=self._words_per_second(),
            learning_rate=rate,
            train_perplexity=self._train_perplexity(),
            valid_perplexity=valid_perplexity,
        )
        state.history.append(epoch)
        state.position, state.carried = 0, state.network.blank(self.words.shape[1])
        state.epoch_loss, state.epoch_words, state.epoch_seconds = 0.0, 0, 0.0
        return epoch

    def _roll_back(self) -> None:
        """Go back to the best values, and on from there with half the learning rate."""
        state = self.state
        state.rollbacks += 1
        if state.rollbacks > ROLLBACKS:
            if math.isinf(state.best_perplexity):
                rate = self.settings.lr * state.rate_scale
                raise TrainingError(f"training diverged, even with a learning rate of {rate:.2g}: try a smaller --lr")
            state.given_up = True
        state.rate_scale /= 2
        state.stale = 0
        for name, parameter in state.network.named_parameters().items():
            parameter.value[...] = state.best[name]
        state.optimizer.reset()
        state.carried = state.network.blank(self.words.shape[1])

    def _keep_best(self, valid_perplexity: float) -> None:
        self.state.best = {name: p.value.copy() for name, p in self.state.network.named_parameters().items()}
        self.state.best_perplexity = valid_perplexity
        self.state.stale = self.state.rollbacks = 0

    def _words_per_second(self) -> float:
        return self.state.epoch_words / max(self.state.epoch_seconds, 1e-9)

    def _train_perplexity(self) -> float:
        return perplexity(self.state.epoch_loss / self.state.epoch_words) if self.state.epoch_words else math.nan

    def _progress(self, finished: Epoch | None) -> Progress:
        if finished:
            return Progress(
                finished.epoch, self._share(), finished.words_per_second, finished.train_perplexity, finished
            )
        epoch = len(self.state.history) + 1
        return Progress(epoch, self._share(), self._words_per_second(), self._train_perplexity())

    def _about(self) -> dict[str, Any]:
        """What a model tells of its training. No times: the same training gives the same file."""
        corpus = self.corpus
        told = ("epoch", "step", "words", "learning_rate", "train_perplexity", "valid_perplexity")
        return {
            "corpus": {
                "name": corpus.name,
                "train_words": len(corpus.train),
                "valid_words": len(corpus.valid),
                "sha256": corpus.sha256,
            },
            "settings": asdict(self.settings),
            "history": [{name: _finite(getattr(epoch, name)) for name in told} for epoch in self.state.history],
            "best_valid_perplexity": _finite(self.state.best_perplexity),
            "versions": {"rnncli": __version__, "numpy": np.__version__, "python": platform.python_version()},
        }


def _finite(value: float) -> float | None:
    """The value, or None for what JSON has no number for."""
    return value if math.isfinite(value) else None


def start(
    sources: Sources,
    *,
    tokenizer: str = "word",
    lowercase: bool = False,
    unit: str = "auto",
    encoding: str = "utf-8",
    min_count: int | None = None,
    max_vocab: int | None = None,
    valid: Sources = (),
    valid_fraction: float = 0.05,
    cell: str = "lstm",
    activation: str = "tanh",
    embedding_size: int | None = None,
    hidden_size: int = 256,
    layers: int = 1,
    tied: bool = True,
    dropout: float | None = None,
    **settings: Any,
) -> Trainer:
    """Make everything ready to train a model on the texts in `sources`: files, folders, "-" for standard input.

    The text's options are those of `rnncli.text.corpus.read_corpus`, the network's those of
    `rnncli.lm.network.Config`, `settings` those of `Settings`. `embedding_size` is by default that of the hidden
    layer, `dropout` what `default_dropout` says.
    Raises `TextError` for a text that cannot be read, `SettingError` for a value that makes no sense.
    """
    checked = Settings(**settings)
    shape = Config(
        vocabulary_size=1,  # until the text is read: all else is checked before that
        cell=cell,
        activation=activation,
        hidden_size=hidden_size,
        embedding_size=hidden_size if embedding_size is None else embedding_size,
        layers=layers,
        tied=tied,
        dropout=dropout or 0.0,
    )
    corpus = read_corpus(
        sources,
        tokenizer=Tokenizer(tokenizer, lowercase),
        unit=unit,
        encoding=encoding,
        min_count=min_count,
        max_vocab=max_vocab,
        valid=valid,
        valid_fraction=valid_fraction,
    )
    if dropout is None:
        dropout = default_dropout(len(corpus.train))
    return Trainer(corpus, replace(shape, vocabulary_size=len(corpus.vocabulary), dropout=dropout), checked)


def default_dropout(words: int) -> float:
    """How much to hide in training where nothing else is said: more of a small text, which is soon known by heart."""
    return 0.5 if words < 500_000 else 0.35 if words < 2_000_000 else 0.2


def train(sources: Sources, **options: Any) -> Model:
    """Train a model on the texts in `sources` and return the one that did best on validation.

    The options are those of `start`. To watch a training, or to end it early, iterate over `start(...).run()`.
    """
    trainer = start(sources, **options)
    for _ in trainer.run():
        pass
    if math.isinf(trainer.state.best_perplexity):
        raise TrainingError("no model came out that foresees the validation text: try a smaller lr")
    return trainer.best()
