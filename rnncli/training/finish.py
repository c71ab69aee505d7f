"""The end of a training: the best network is joined with the other parts, and the mixture is tuned."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..callbacks import OnProgress
from ..errors import TrainingError
from ..lm.ensemble import Ensemble, joined
from ..lm.interface import Part
from ..lm.network import Network
from ..lm.ngram import NGram
from ..lm.ngram_beside import BaseNGram
from ..lm.ngram_counts import counted_part
from ..lm.parts import PART_KINDS
from ..lm.perplexity import perplexity
from ..lm.tuning import Tuned, tune, tuning_pieces
from ..lm.widening import widened_ngram
from ..model import Model, license_of
from ..options import MAX_EPOCHS
from ..text.columns import Store
from ..text.corpus import Corpus
from ..text.vocabulary import UNK_ID
from ..version import __version__
from .crew import Crew
from .interpolation import fraction_of_way, interpolated
from .plan import Plan
from .state import TrainingState
from .watch import ngram_loss

MAX_PERPLEXITY_RATIO = 1.1  # of a network and the best one: a worse one would do more harm than good
HISTORY_FIELDS = ("epoch", "step", "words", "learning_rate", "train_perplexity", "valid_perplexity", "network")


class ModelBuilder:
    """Makes the model of a training: its best network and the parts beside it, tuned on held-out text."""

    def __init__(self, plan: Plan, corpus: Corpus, crew: Crew, init: Model | None = None):
        """Build beside the n-grams of the text those of the model that the training goes on from, `init`."""
        self.plan = plan
        self.base = _base_of(init, plan) if init and plan.training.ngram_order else None
        self.license = license_of(init) if init else {}
        self.corpus = corpus
        self.crew = crew
        self.fitted: dict[type[Part], Part] = {}
        entry = corpus.cache_entry
        self._folder = entry.folder if entry else None
        self._store = Store(*([entry.folder] if entry else []))
        self.text = corpus.once(self._store)  # whose n-grams are counted

    @property
    def warnings(self) -> list[str]:
        """What the caller is to be told of files that could not be written, beside what the corpus tells."""
        return [warning for warning in self._store.warnings if warning not in self.corpus.facts.warnings]

    def fit(self, words: int, progress: OnProgress | None = None) -> None:
        """Make the parts beside the network, from so many words of the training text."""
        ids = counted_part(self.text, words, self._store)
        fitted = {
            kind: kind.fit(
                ids,
                self.plan.network,
                self.plan.training,
                folder=self._folder,
                progress=progress,
                ranks=self.crew.ranks,
            )
            for kind in PART_KINDS
        }
        self.fitted = {kind: part for kind, part in fitted.items() if part is not None}
        if self.base:
            new_words = len(self.corpus.vocabulary) - len(self.base.unigrams)
            self.fitted[BaseNGram] = BaseNGram(widened_ngram(self.base, new_words))

    @property
    def fitted_ngram(self) -> NGram | None:
        """The n-grams, if the model holds any."""
        return next((part for part in self.fitted.values() if isinstance(part, NGram)), None)

    def tune(self, networks: Sequence[Network], texts: Sequence[np.ndarray]) -> Tuned:
        """Tune the mixture on held-out texts (N,)."""
        # In the order in which a file is loaded, as the weights are stored by it.
        parts = [joined(networks) if kind is Ensemble else self.fitted.get(kind) for kind in PART_KINDS]
        return tune([part for part in parts if part is not None], len(self.corpus.vocabulary), texts, self.crew.map)

    def tuning_texts(self, ids: np.ndarray, words: int) -> list[np.ndarray]:
        """Take about so many words of a held-out text (N,), to tune the mixture on."""
        return tuning_pieces(ids, words, self.plan.training.cache_size)

    def model(self, state: TrainingState) -> Model:
        """Return the model with the networks as they did best on validation, or a part of the way to them.

        One that is much worse than another, as its training was interrupted, is left out. Raises `TrainingError` where
        no network predicted the text at all.
        """
        networks = [*state.trained, state.best]
        best = min(network.perplexity for network in networks)
        if math.isinf(best):
            raise TrainingError("no model came out that predicts the validation text: try a smaller learning rate")
        values = [network.values for network in networks]
        fraction = fraction_of_way(len(self.corpus.train))
        for number, begun_with in enumerate(state.begun_with):
            values[number] = interpolated(begun_with, values[number], fraction)
        good = [
            Network(self.plan.network, own)
            for own, network in zip(values, networks, strict=True)
            if network.perplexity <= MAX_PERPLEXITY_RATIO * best
        ]
        texts = self.tuning_texts(self.corpus.valid, state.tuning_words)
        tuned = self.tune(good, texts)
        about = self._about(state, best)
        excess = self._excess(tuned, texts)
        about["tuning"] = {
            "words": sum(map(len, texts)),
            "perplexity": finite(perplexity(tuned.loss - excess)),
            **_of_known_words(tuned, np.concatenate(texts), excess),
            "perplexity_of_network": finite(perplexity(tuned.losses[Network.name] - excess)),
        }
        corpus = self.corpus
        return Model(tuned.mixture, corpus.vocabulary, corpus.tokenizer, corpus.unit, about, corpus.detokenizer)

    def _excess(self, tuned: Tuned, texts: Sequence[np.ndarray]) -> float:
        """Return how much less likely the texts are than the whole held-out text to the n-grams, in nats a word."""
        ngram = self.fitted_ngram
        ids = self.corpus.valid
        if ngram is None or sum(map(len, texts)) >= len(ids):
            return 0.0
        return tuned.losses[NGram.name] - ngram_loss(ngram, ids, self.crew.map)

    def _about(self, state: TrainingState, best: float) -> dict[str, Any]:
        """Return the facts of the training. No times: the same training gives the same file."""
        corpus = self.corpus
        settings = {name: finite(value) for name, value in asdict(self.plan.training).items()}
        settings["epochs"] = None if settings["epochs"] == MAX_EPOCHS else settings["epochs"]  # no limit, as of time
        began = {"init_sha256": self.plan.init_sha256} if self.plan.is_fine_tuning else {}
        return {
            **began,
            **self.license,
            "corpus": {
                "name": corpus.name,
                "train_words": len(corpus.training_text),
                "valid_words": len(corpus.valid),
                "watched_words": state.watched_words,
                "counted_words": state.counted_words,
                "sha256": corpus.sha256,
            },
            "reading": corpus.reading,
            "settings": settings,
            "history": [{name: finite(getattr(report, name)) for name in HISTORY_FIELDS} for report in state.history],
            "best_valid_perplexity": finite(best),
            "versions": {"rnncli": __version__, "numpy": np.__version__, "python": platform.python_version()},
        }


def _base_of(init: Model, plan: Plan) -> NGram | None:
    """Return the n-grams of the model that a training goes on from.

    Where that training has written its own model in the place of it, they are a part of that one.
    """
    if init.about.get("init_sha256") == plan.init_sha256 and (base := init.lm.find(BaseNGram)):
        return base.ngram
    return init.lm.find(NGram)


def _of_known_words(tuned: Tuned, ids: np.ndarray, excess: float) -> dict[str, Any]:
    """Return how many words of the tuning texts (N,) are unknown, and an estimate of the perplexity of the others.

    `excess` is that of all words.
    """
    known = ids != UNK_ID
    found: dict[str, Any] = {"unknown_words": int(np.count_nonzero(~known))}
    if known.any() and len(tuned.word_losses) == len(ids):
        found["perplexity_of_known_words"] = finite(perplexity(float(tuned.word_losses[known].mean()) - excess))
    return found


def finite(value: Any) -> Any:
    """Return the value, or None for a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
