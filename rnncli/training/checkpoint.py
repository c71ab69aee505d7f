"""Keeps a training in a file: its plan, its state, and what it was trained on. From there it goes on exactly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import ModelError, shortened
from ..lm.network_config import NetworkConfig
from ..options import TextOptions, TrainingOptions
from ..storage.archive import NotAModelError, read_arrays, write_arrays
from ..storage.model_file import CHECKPOINT_SUFFIX
from ..text.columns import pieces
from ..text.corpus import Corpus
from .clock import is_over
from .plan import Plan
from .state import TrainingState, restored

FORMAT = 3
BARE_SUFFIX = ".checkpoint"  # beside a model without the suffix .npz, so that x and x.npz do not share one


def checkpoint_path(output: str | Path) -> Path:
    """Return where the checkpoint of a training is that writes its model to `output`.

    Raises `ModelError` for a model that has the name of a checkpoint.
    """
    output = Path(output)
    if output.name.endswith((CHECKPOINT_SUFFIX, BARE_SUFFIX)):
        raise ModelError(f"{output} is the name of a checkpoint: name the model otherwise with output=FILE")
    if output.suffix == ".npz":
        return output.with_name(output.stem + CHECKPOINT_SUFFIX)
    return output.with_name(output.name + BARE_SUFFIX)


@dataclass(frozen=True)
class Checkpoint:
    """A training that stopped."""

    plan: Plan
    corpus: dict[str, str]  # see `corpus_digests`
    state: TrainingState
    has_model: bool = False  # whether the training was over, and its model saved

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train."""
        return is_over(self.plan, self.state)


def corpus_digests(corpus: Corpus) -> dict[str, str]:
    """Return hashes of all that a training knows of its text, and of the held-out text."""
    text = hashlib.sha256()
    known = (corpus.sha256.encode(), corpus.vocabulary.text(), corpus.detokenizer.text(), repr(corpus.texts).encode())
    for part in (*known, *_pieces(corpus.train)):
        text.update(f"{len(part)}\n".encode())
        text.update(part)
    valid = hashlib.sha256()
    for piece in _pieces(corpus.valid):
        valid.update(piece)
    return {"text": text.hexdigest(), "valid": valid.hexdigest()}


def _pieces(ids: np.ndarray) -> Iterator[bytes | memoryview]:
    yield f"{len(ids)} {ids.dtype}".encode()
    for piece in pieces(ids):
        yield piece.data


def write_checkpoint(file: IO[bytes], kept: Checkpoint) -> None:
    """Write a training to a file, between two steps."""
    record = {
        "plan": asdict(kept.plan),
        "corpus": kept.corpus,
        "state": kept.state.numbers(),
        "has_model": kept.has_model,
    }
    members = {"checkpoint": np.array(FORMAT), "record": np.array(json.dumps(record))}
    write_arrays(file, members | kept.state.arrays())


def opened(resume: Checkpoint | str | Path) -> Checkpoint:
    """Return a checkpoint to go on from, with a state of its own, which may change. See `read_checkpoint`."""
    return replace(resume, state=deepcopy(resume.state)) if isinstance(resume, Checkpoint) else read_checkpoint(resume)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint at `path`. Raises `ModelError` for a file that is none, or is damaged."""
    remedy = "name another model with output=FILE, or begin anew with restart=True"
    try:
        if Path(path).is_file() and not Path(path).stat().st_size:
            raise NotAModelError("is empty")
        return _checkpoint(read_arrays(Path(path), checked=True))
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path}: begin without resume") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError:
        raise
    except _OtherVersionError:
        raise ModelError(f"another version of rnncli wrote {path}: go on with that version, or {remedy}") from None
    except Exception as error:  # bytes that a failing disk has changed can bring about anything
        reason = str(error).partition("\n")[0]
        if isinstance(error, KeyError | NotAModelError):
            reason = f"it {'lacks ' if isinstance(error, KeyError) else ''}{reason}"
        raise ModelError(f"{path} is no sound checkpoint ({shortened(reason)}): {remedy}") from error


class _OtherVersionError(Exception):
    """The layout is not the one of this version."""


def _checkpoint(arrays: dict[str, np.ndarray]) -> Checkpoint:
    if int(arrays.pop("checkpoint")) != FORMAT:
        raise _OtherVersionError
    record = json.loads(str(arrays.pop("record")))
    stored: dict[str, Any] = record["plan"]
    for options in (stored["text"], stored["given"]):
        options["valid"] = tuple(options["valid"])
    plan = Plan(
        TextOptions(**stored.pop("text")),
        NetworkConfig(**stored.pop("network")),
        TrainingOptions(**stored.pop("training")),
        sources=tuple(stored.pop("sources")),
        **stored,
    )
    state = restored(plan.network, plan.training, record["state"], arrays)
    return Checkpoint(plan, record["corpus"], state, record["has_model"])
