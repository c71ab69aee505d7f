"""Training, from texts to a model."""

import time
from dataclasses import replace
from typing import Any

from ..lm.network import Config, grown
from ..model import Model
from ..text.corpus import Sources, read_corpus
from ..text.tokenizers import Tokenizer
from . import recipe
from .loop import Trainer
from .settings import Settings


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
    hidden_size: int | None = None,
    layers: int = 1,
    tied: bool = True,
    dropout: float | None = None,
    word_dropout: float | None = None,
    recurrent_dropout: float | None = None,
    **settings: Any,
) -> Trainer:
    """Make everything ready to train a model on the texts in `sources`: files, folders, "-" for standard input.

    The text's options are those of `rnncli.text.corpus.read_corpus`, the network's those of
    `rnncli.lm.network.Config`, `settings` those of `Settings`. What is left out, `rnncli.training.recipe` decides.
    Raises `TextError` for a text that cannot be read, `SettingError` for a value that makes no sense.
    """
    began = time.perf_counter()
    checked = Settings(**settings)
    rates = {"dropout": dropout, "word_dropout": word_dropout, "recurrent_dropout": recurrent_dropout}
    shape = Config(
        vocabulary_size=1,  # until the text is read: all else is checked before that
        cell=cell,
        activation=activation,
        hidden_size=1 if hidden_size is None else hidden_size,
        embedding_size=1 if embedding_size is None else embedding_size,
        layers=layers,
        tied=tied,
        **{name: rate or 0.0 for name, rate in rates.items()},
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
    words, seconds = len(corpus.train), checked.seconds
    units = recipe.hidden_size(words, seconds) if hidden_size is None else hidden_size
    config = replace(
        shape,
        vocabulary_size=len(corpus.vocabulary),
        hidden_size=units,
        embedding_size=recipe.embedding_size(units) if embedding_size is None else embedding_size,
        **_decided(rates, recipe.dropouts(words, units, seconds, checked.epochs)),
    )
    return Trainer(corpus, config, checked, began=began)


def start_from(
    model: Model,
    sources: Sources,
    *,
    encoding: str = "utf-8",
    min_count: int | None = None,
    valid: Sources = (),
    valid_fraction: float = 0.05,
    dropout: float | None = None,
    word_dropout: float | None = None,
    recurrent_dropout: float | None = None,
    **settings: Any,
) -> Trainer:
    """Make everything ready to go on with the training of a `model`, on other texts.

    The tokenizer, the unit and the network's shape are the model's. Its vocabulary grows by the words that occur
    `min_count` times (2 if left open) in the new text; to the network they are at first what unknown words are.
    """
    began = time.perf_counter()
    checked = Settings(**settings)
    network = model.lm.network.config
    corpus = read_corpus(
        sources,
        tokenizer=model.tokenizer,
        unit=model.unit,
        encoding=encoding,
        min_count=min_count,
        valid=valid,
        valid_fraction=valid_fraction,
        known=model.vocabulary,
    )
    rates = {"dropout": dropout, "word_dropout": word_dropout, "recurrent_dropout": recurrent_dropout}
    rule = recipe.dropouts(len(corpus.train), network.hidden_size, checked.seconds, checked.epochs)
    config = replace(network, vocabulary_size=len(corpus.vocabulary), **_decided(rates, rule))
    values = {name: parameter.value for name, parameter in model.lm.network.named_parameters().items()}
    return Trainer(corpus, config, checked, grown(values, corpus.counts()), began=began)


def _decided(given: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """What was given, and by the rule what was left open."""
    return {name: rule[name] if value is None else value for name, value in given.items()}


def train(sources: Sources, *, init: Model | None = None, **options: Any) -> Model:
    """Train a model on the texts in `sources` and return the one that did best on validation.

    The options are those of `start`; with a model as `init`, those of `start_from`, and it goes on from there. To watch
    a training, or to end it early, iterate over `start(...).run()`.
    """
    trainer = start_from(init, sources, **options) if init else start(sources, **options)
    for _ in trainer.run():
        pass
    return trainer.best()
