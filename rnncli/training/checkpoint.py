"""Keeps a training in a file: its plan, its state, and what it was trained on. From there it goes on exactly."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..declaration import declarations, pick
from ..errors import ModelError, SettingError, TextError, shortened
from ..lm.network_config import NetworkConfig
from ..network_options import NetworkOptions
from ..nn.threads import processor_kind
from ..options import OPTION_CLASSES, TextOptions, TrainingOptions
from ..storage.archive import read_arrays, write_arrays
from ..storage.model_file import CHECKPOINT_SUFFIX
from ..text.columns import pieces
from ..text.corpus import Corpus
from ..version import __version__
from .plan import Options, Plan
from .state import TrainingState, restored

FORMAT = 1
SUFFIX = CHECKPOINT_SUFFIX
NOT_COMPARED = ("valid",)  # paths: what they hold is part of the corpus, which is compared


def checkpoint_path(output: str | Path) -> Path:
    """Return where the checkpoint of a training is that writes its model to `output`."""
    output = Path(output)
    return output.with_name(output.name.removesuffix(".npz") + SUFFIX)


@dataclass(frozen=True)
class Checkpoint:
    """A training that stopped. Its state is for one training to go on with."""

    plan: Plan
    corpus_sha256: str  # see `corpus_digest`
    environment: dict[str, str]  # see `_environment`
    state: TrainingState

    def options(self, given: Mapping[str, Any]) -> Options:
        """Return all options of the training that goes on. Those that were `given` again must be the same.

        Raises `SettingError` for an option that has changed, unless a training may go on with another value.
        """
        plan = self.plan
        Options.of(given)  # checks names and values
        declared = declarations(*OPTION_CLASSES)
        own = {**asdict(plan.text), **pick(asdict(plan.network), NetworkOptions), **asdict(plan.training)}
        given_text = plan.given_text or plan.text
        new = {name: value for name, value in given.items() if value is not None and name not in NOT_COMPARED}
        changed = [
            name
            for name, value in new.items()
            if value not in (own[name], getattr(given_text, name, own[name])) and not declared[name].may_change
        ]
        if changed:
            now = ", ".join(f"{name}={_literal(new[name])}" for name in changed)
            before = ", ".join(f"{name}={_literal(own[name])}" for name in changed)
            raise SettingError(f"the training began with {before}, not {now}: leave that out, or add restart=True")
        own |= {name: value for name, value in new.items() if declared[name].may_change}
        if given.get("valid"):
            given_text = replace(given_text, valid=given["valid"])
        network = NetworkOptions(**pick(own, NetworkOptions))
        training = TrainingOptions(**pick(own, TrainingOptions))
        return Options(given_text, network, training, plan.reads_as_model)

    def differences(self, threads: int) -> list[str]:
        """Say what differs here from where the training began, so that its result may differ in the last digits."""
        here = {**_environment(), "threads": f"threads={threads}"}
        there = {**self.environment, "threads": f"threads={self.plan.training.threads}"}
        return [
            f"the training began with {there[name]}, and goes on with {here[name]}: its last digits may differ"
            for name in here
            if there.get(name) != here[name]
        ]

    def check(self, plan: Plan, corpus: Corpus) -> None:
        """Raise `TextError` where a training would go on with another corpus."""
        if self.corpus_sha256 != corpus_digest(corpus) or plan.network != self.plan.network:
            raise TextError(
                f"{corpus.name} is not the text that the training began with: name that one, or add restart=True"
            )

    def is_extended(self, plan: Plan) -> bool:
        """Whether the training is to go on longer, or less long, than it was meant to at first."""
        return (plan.training.epochs, plan.training.time) != (self.plan.training.epochs, self.plan.training.time)


def corpus_digest(corpus: Corpus) -> str:
    """Return a hash of all that a training knows of its corpus."""
    digest = hashlib.sha256()
    for text in (corpus.sha256.encode(), corpus.vocabulary.text(), corpus.detokenizer.text()):
        digest.update(f"{len(text)}\n".encode() + text)
    for ids in (corpus.train, corpus.valid):
        digest.update(f"{len(ids)} {ids.dtype}\n".encode())
        for piece in pieces(ids):
            digest.update(piece.data)
    return digest.hexdigest()


def write_checkpoint(file: IO[bytes], plan: Plan, corpus_sha256: str, state: TrainingState) -> None:
    """Write a training to a file, between two steps."""
    record = {
        "plan": asdict(plan),
        "corpus": corpus_sha256,
        "environment": _environment(),
        "state": state.numbers(),
    }
    members = {"checkpoint": np.array(FORMAT), "record": np.array(json.dumps(record, default=str))}
    write_arrays(file, members | state.arrays())


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint at `path`. Raises `ModelError` for a file that is none, or is damaged."""
    remedy = "name another model, or begin anew with restart=True"
    try:
        return _checkpoint(read_arrays(Path(path), checked=True))
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path}: begin without resume") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError:
        raise
    except Exception as error:  # bytes that a failing disk has changed can bring about anything
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise ModelError(f"{path} is no sound checkpoint ({shortened(reason)}): {remedy}") from error


def _checkpoint(arrays: dict[str, np.ndarray]) -> Checkpoint:
    if int(arrays.pop("checkpoint")) != FORMAT:
        raise ValueError("another version of rnncli wrote it")
    record = json.loads(str(arrays.pop("record")))
    stored = record["plan"]
    plan = Plan(
        TextOptions(**stored["text"]),
        NetworkConfig(**stored["network"]),
        TrainingOptions(**stored["training"]),
        stored["is_fine_tuning"],
        TextOptions(**stored["given_text"]),
        stored["reads_as_model"],
    )
    state = restored(plan.network, plan.training, record["state"], arrays)
    return Checkpoint(plan, str(record["corpus"]), dict(record["environment"]), state)


def _environment() -> dict[str, str]:
    """Return what the last digits of a result depend on, besides the number of threads."""
    return {
        "rnncli": f"rnncli {__version__}",
        "numpy": f"NumPy {np.__version__}",
        "python": f"Python {'.'.join(platform.python_version_tuple()[:2])}",
        "processor": f"a processor of the kind {processor_kind()}",
    }


def _literal(value: Any) -> str:
    """Write a value as in Python, with double quotes."""
    return json.dumps(value) if isinstance(value, str) else "inf" if value == math.inf else str(value)
