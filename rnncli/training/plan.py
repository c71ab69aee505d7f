"""Decides everything that a training does: options in, a plan out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from ..callbacks import OnProgress
from ..declaration import check_names, declarations, pick
from ..errors import SettingError
from ..lm.ensemble import networks_of
from ..lm.network_config import NetworkConfig, check_activation
from ..lm.ngram_beside import ngram_of
from ..lm.voice import FirstVoice
from ..model import Model
from ..network_options import NetworkOptions
from ..nn.speed import Now, gflops
from ..nn.threads import Threads, cores_of_process
from ..options import OPTION_CLASSES, TextOptions, TrainingOptions
from ..ranks import Ranks
from ..text.corpus import Corpus, Sources
from ..text.formats import KINDS, ReadOptions
from ..text.reading import STDIN, listed
from .recipe import decided, max_batch_size
from .texts import read_texts


@dataclass(frozen=True)
class Plan:
    """What a training does. No option is left open."""

    text: TextOptions
    network: NetworkConfig
    training: TrainingOptions
    given: dict[str, Any]  # all options as they were given, by name; those that were left open are None
    reads_as_model: bool = False  # whether what is read of a file is what the model remembers
    init_sha256: str = ""  # see `init_digest`; empty without a model to go on from
    sources: tuple[str, ...] = ()  # where the text was

    @property
    def is_fine_tuning(self) -> bool:
        """Whether the training goes on from a model."""
        return bool(self.init_sha256)

    def __post_init__(self) -> None:
        for options in (self.text, self.network, self.training):
            for name in declarations(options):
                if getattr(options, name) is None:
                    raise SettingError(f"{name} is None, and must have a value")


@dataclass(frozen=True)
class Options:
    """The options of a training as they were given; those left open are None."""

    text: TextOptions
    network: NetworkOptions
    training: TrainingOptions
    reads_as_model: bool = False  # whether what is read of a file is what the model remembers

    def by_name(self) -> dict[str, Any]:
        """Return the values of all options."""
        return values_by_name(self.text, self.network, self.training)

    @classmethod
    def of(cls, given: Mapping[str, Any], init: Model | None = None) -> Options:
        """Sort options by name. With a model to go on from, its own options hold, and what it remembers of reading
        unless the options tell what to read of a file.

        Raises `SettingError` for a name or a value that makes no sense, or an option that only the model decides.
        """
        known = declarations(*OPTION_CLASSES)
        check_names(given, known)
        remembered: dict[str, Any] = {}
        if init:
            for name in given:
                if known[name].fixed_by_model:
                    raise SettingError(f"{name} does not go with init: the model has its own")
            remembered = {} if set(KINDS) & set(given) else _kind_of(init)
            given = {**_options_of(init), **remembered, **given}
        network = NetworkOptions(**pick(given, NetworkOptions))
        check_activation(network)
        text = TextOptions(**pick(given, TextOptions))
        training = TrainingOptions(**pick(given, TrainingOptions))
        return cls(text, network, training, reads_as_model=bool(remembered))


def values_by_name(
    text: TextOptions, network: NetworkOptions | NetworkConfig, training: TrainingOptions
) -> dict[str, Any]:
    """Return the values of all options of a training."""
    return {**asdict(text), **pick(asdict(network), NetworkOptions), **asdict(training)}


def init_digest(model: Model) -> str:
    """Return a hash of what a training takes from a model that it goes on from."""
    digest = hashlib.sha256(f"{model.tokenizer} {model.unit}".encode())
    digest.update(model.vocabulary.text() + model.detokenizer.text())
    for network in networks_of(model.lm):
        for name, value in sorted(network.values().items()):
            digest.update(name.encode() + value.tobytes())
    for part in model.lm.parts:
        if (ngram := ngram_of(part)) is not None:
            digest.update(part.name.encode() + ngram.unigrams.tobytes())
            for level in ngram.levels:
                digest.update(level.counts.tobytes())
    return digest.hexdigest()


def absolute(sources: Sources) -> tuple[str, ...]:
    """Return where some texts are, wherever the program runs; there may be none."""
    found = listed(sources) if sources else []
    return tuple(STDIN if source == STDIN else os.path.abspath(source) for source in found)


def _options_of(model: Model) -> dict[str, Any]:
    """Return the options that a model decides."""
    networks = networks_of(model.lm)
    if model.lm.find(FirstVoice):
        raise SettingError("the model is a mix: go on from one of the two that it was made of")
    if not networks:
        raise SettingError("the model holds no network to go on from: train a new one")
    shape = asdict(networks[0].config)
    unit = ReadOptions.of_text(model.about, model.unit).unit
    own = {"tokenizer": model.tokenizer.kind, "lowercase": model.tokenizer.lowercase, "unit": unit}
    own["networks"] = len(networks)
    fixed = declarations(NetworkOptions)
    return {**own, **{name: shape[name] for name, declared in fixed.items() if declared.fixed_by_model}}


def _kind_of(model: Model) -> dict[str, Any]:
    """Return what a model remembers to read of a file, if that is not all."""
    usual = ReadOptions()
    own = ReadOptions.of_text(model.about, model.unit)
    return {name: getattr(own, name) for name in KINDS if getattr(own, name) != getattr(usual, name)}


def make_plan(
    options: Options,
    sources: Sources,
    init: Model | None = None,
    *,
    cache_dir: str | Path | None = None,
    on_progress: OnProgress | None = None,
    now: Now = perf_counter,
    ranks: Ranks | None = None,
) -> tuple[Plan, Corpus]:
    """Read the texts in `sources`, and decide what was left open.

    A large text is kept in the folder `cache_dir`, by default that of the user's caches, and taken from there the next
    time. `on_progress` is told the fraction of the bytes of the texts that was read, unless one is standard input. The
    speed of the machine is measured by the clock `now`.
    Raises `TextError` for a text that cannot be read or holds too few words.
    """
    sources = listed(sources)
    text, corpus = read_texts(
        options.text,
        sources,
        init,
        reads_as_model=options.reads_as_model,
        cache_dir=cache_dir,
        on_progress=on_progress,
        ranks=ranks,
    )
    valid = absolute(text.valid)
    plan = plan_for(replace(options, text=replace(text, valid=valid)), corpus, init, now, ranks)
    return replace(plan, given=options.by_name() | {"valid": valid}, sources=absolute(sources)), corpus


def plan_for(
    options: Options,
    corpus: Corpus,
    init: Model | None = None,
    now: Now = perf_counter,
    ranks: Ranks | None = None,
) -> Plan:
    """Decide what was left open of the network and the training, for a corpus that was read.

    How fast the machine is, is measured by the clock `now`; several ranks are as fast as all together.
    """
    ranks = ranks or Ranks()
    cores = ranks.share_of(cores_of_process())
    facts = {
        "cores": cores,
        "ranks": ranks.count,
        "gflops": sum(ranks.all(gflops(Threads(options.training.threads or cores), now))),
        "train_words": len(corpus.training_text),
        "vocabulary_size": len(corpus.vocabulary),
        "fine_tuning": init is not None,
    }
    values = decided(asdict(options.network) | asdict(options.training), facts)
    values["batch_size"] = min(values["batch_size"], max_batch_size(len(corpus.training_text), values["bptt"]))
    network = NetworkConfig(vocabulary_size=len(corpus.vocabulary), **pick(values, NetworkOptions))
    training = TrainingOptions(**pick(values, TrainingOptions))
    init_sha256 = init_digest(init) if init else ""
    return Plan(options.text, network, training, options.by_name(), options.reads_as_model, init_sha256)
