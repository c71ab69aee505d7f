"""The model file: one `.npz` that NumPy alone can read, safe to load from a stranger.

format        the number of this layout
config        JSON: what each part tells of itself (`Part.stored_config`), the tokenizer, the unit of text
vocabulary    the words in UTF-8, one a line, as bytes
detokenizer   JSON in UTF-8, as bytes: how the corpus writes its words (see `rnncli.text.detokenizer`)
about         JSON: the corpus, the settings and the history of the training, the versions of the programs
shares        the mixture weights (groups, parts)
...           the arrays of the parts (`Part.stored_arrays`): each parameter of the network under its name, in float32
              or packed (see `rnncli.lm.packing`), those of a second network as network2.*, and so on;
              ngram.unigrams, and ngram.N.* for each length N from 2 on (see `rnncli.lm.ngram_level.Level`)

Members are stored uncompressed and begin at multiples of 64 bytes, so that arrays are views of the file's bytes. A new
member needs a new number of the layout: those that this version does not know are refused.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError, quoted
from ..lm.ensemble import networks_of
from ..lm.interface import Part, StoredParts
from ..lm.mixture import Mixture
from ..lm.network import is_moderate
from ..lm.parts import PART_KINDS
from ..model import Model
from ..text.detokenizer import Detokenizer
from ..text.tokenizers import Tokenizer
from ..text.vocabulary import StoredVocabulary
from .archive import NotAModelError, arrays_from_bytes, read_arrays, write_arrays

if TYPE_CHECKING:
    from .fallback import Written

FORMAT = 3
OLDEST_FORMAT = 1  # without a detokenizer; 2 has one network, in float32
MEMBERS = frozenset(["format", "config", "vocabulary", "detokenizer", "about", "shares"])  # besides those of the parts
CHECKPOINT = "checkpoint"  # the number of a checkpoint's layout, in a file of the same kind
CHECKPOINT_SUFFIX = ".checkpoint.npz"
MAX_JSON_CHARACTERS = 2**24  # of each member: of nested lists, these take some 400 MB
SECTIONS = ("corpus", "settings", "versions", "tuning", "reading")
HISTORY_NUMBERS = ("epoch", "train_perplexity", "valid_perplexity")
MAX_NUMBER = 1e300
BYTES_PER_CHARACTER = 4  # of text in an array
MAX_REASON_CHARACTERS = 200  # why a file is damaged


def save(model: Model, path: str | Path) -> None:
    """Write a model to `path`: whole, or not at all. The old file stays until the new one is complete.

    Raises `ModelError` where it cannot be written, or the model has adapted to a text.
    """
    from .atomic import write_whole  # not at the top: most commands only load

    members = _members(model)
    write_whole(path, lambda file: write_arrays(file, members))


def save_somewhere(model: Model, path: str | Path, failure: str = "") -> Written:
    """Write a model that took work to `path`, else where it can be written: see `write_somewhere`."""
    from .atomic import MODEL
    from .fallback import write_somewhere

    members = _members(model)
    return write_somewhere(path, lambda file: write_arrays(file, members), MODEL, failure=failure)


def _members(model: Model) -> dict[str, np.ndarray]:
    """Return the arrays of a model's file. Raises `ModelError` for a model that no file may hold."""
    if model.lm.beginning is not None:
        raise ModelError("a model that has adapted to a text is not written: train one on the text with init=MODEL")
    try:
        model.lm.check_weights()
    except ValueError as error:
        raise ModelError(f"the model makes no sense: {error}") from error
    for network in networks_of(model.lm):
        for name, value in network.values().items():
            if not is_moderate(value):
                message = f"{name} holds values that are not finite, or huge: train with a smaller learning rate"
                raise ModelError(message)
    config: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for part in model.lm.parts:
        config |= part.stored_config()
        arrays |= part.stored_arrays()
    config |= {"tokenizer": asdict(model.tokenizer), "unit": model.unit}
    return {
        "format": np.array(FORMAT),
        "config": np.array(json.dumps(config)),
        "vocabulary": np.frombuffer(model.vocabulary.text(), np.uint8),
        "detokenizer": np.frombuffer(model.detokenizer.text(), np.uint8),
        "about": np.array(json.dumps(model.about)),
        **arrays,
        "shares": model.lm.weights,
    }


def load(path: str | Path, *, checked: bool = True) -> Model:
    """Read a model from `path`. Raises `ModelError`, which says what is wrong, for anything but a sound model.

    Unless it is `checked`, two checks that read the whole file are left out: its checksums, and whether all of its
    n-grams make sense. Those that do not are reported when they are used.
    """
    path = Path(path)
    if os.path.isdir(path):
        raise ModelError(f"{path} is a folder: name a model in it")
    with reading(str(path)):
        return _model(read_arrays(path, checked), checked)


def model_from_bytes(data: bytes | memoryview, *, checked: bool = True, name: str = "the model") -> Model:
    """Read a model from the bytes of its file, as `load` does; `name` is what errors call it."""
    with reading(name):
        return _model(arrays_from_bytes(data, checked), checked)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn any error that a stranger's bytes bring about into a `ModelError`, which names the file."""
    try:
        yield
    except (ModelError, MemoryError):
        raise
    except OSError as error:
        raise ModelError(f"cannot read {name}: {error.strerror or error}") from error
    except NotAModelError as error:
        raise ModelError(f"{name} {error}") from error
    except Exception as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise ModelError(f"{name} is damaged: {reason:.{MAX_REASON_CHARACTERS}}") from error


def _model(arrays: dict[str, np.ndarray], checked: bool) -> Model:
    _check_format(arrays)
    config = json.loads(_text(arrays["config"]))
    vocabulary = StoredVocabulary(arrays["vocabulary"].tobytes())
    stored = StoredParts(config, arrays, len(vocabulary), checked)
    parts = [part for kind in PART_KINDS if (part := kind.from_file(stored)) is not None]
    mixture = Mixture(parts, len(vocabulary), arrays.get("shares"))
    mixture.check_weights()
    _check_names(arrays, parts)
    if checked and len(vocabulary.numbers) != len(vocabulary):  # last: as many words as the parts have are not too many
        raise ValueError(f"its vocabulary is not one of {len(vocabulary)} different words")
    if config["unit"] not in ("line", "paragraph"):
        raise ValueError(f"its unit is {config['unit']!r}")
    about = _about(_text(arrays["about"]))
    detokenizer = _detokenizer(arrays["detokenizer"]) if "detokenizer" in arrays else Detokenizer()
    return Model(mixture, vocabulary, _tokenizer(config["tokenizer"]), config["unit"], about, detokenizer)


def _check_names(arrays: Mapping[str, np.ndarray], parts: Iterable[Part]) -> None:
    """Raise `ValueError` for an array that is nobody's: nothing hides in a model."""
    unknown = set(arrays).difference(MEMBERS, *(part.stored_names() for part in parts))
    if unknown:
        raise ValueError(f"it holds {quoted(min(unknown))}, which this rnncli does not know")


def _check_format(arrays: Mapping[str, np.ndarray]) -> None:
    if CHECKPOINT in arrays:
        raise NotAModelError("is the checkpoint of a training: `rnncli train ... --resume` makes a model of it")
    if not {"format", "config"} <= set(arrays):
        raise NotAModelError("is not a model of rnncli: name a file that `rnncli train` wrote")
    version = arrays["format"]
    if version.shape or version.dtype.kind not in "iu":
        raise ValueError("its format is not a number")
    if not OLDEST_FORMAT <= version <= FORMAT:
        newer = "a newer rnncli: upgrade to use it" if version > FORMAT else "an older rnncli: train it anew"
        raise NotAModelError(f"(format {version}) was written by {newer}")


def _text(array: np.ndarray) -> str:
    if array.shape or array.dtype.kind != "U":
        raise ValueError("it holds numbers where text should be")
    _check_length(array.itemsize // BYTES_PER_CHARACTER)
    little_endian = np.asarray(array, array.dtype.newbyteorder("<"))
    # Not `str(array)`, which takes numbers that are no characters.
    return little_endian.tobytes().decode("utf-32-le", "surrogatepass").rstrip("\0")


def _detokenizer(array: np.ndarray) -> Detokenizer:
    _check_length(array.nbytes)
    return Detokenizer.from_text(array.tobytes())


def _check_length(characters: int) -> None:
    if characters > MAX_JSON_CHARACTERS:
        raise ValueError(f"it holds a text of {characters:,} characters")


def _tokenizer(values: Mapping[str, Any]) -> Tokenizer:
    kind = values["kind"]
    lowercase = values.get("lowercase", False)
    fold = values.get("fold", False)  # models of earlier versions do not fold
    if not (isinstance(kind, str) and isinstance(lowercase, bool) and isinstance(fold, bool)):
        raise ValueError(f"its tokenizer is {quoted(str(values))}")
    return Tokenizer(kind, lowercase, fold)


def _about(text: str) -> dict[str, Any]:
    """Read the facts of the training, and check those that others rely on: sections, and numbers for each epoch."""

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"what it tells of its training holds {number}")
        return value

    about = json.loads(text, parse_float=finite, parse_constant=finite)
    if not all(isinstance(section, dict) for section in (about, *(about.get(name, {}) for name in SECTIONS))):
        raise ValueError("what it tells of its training makes no sense")
    for entry in about.get("history", []):
        for name in HISTORY_NUMBERS:
            _check_number(name, entry[name])
    _check_number("best_valid_perplexity", about.get("best_valid_perplexity"))
    return dict(about)


def _check_number(name: str, value: Any) -> None:
    """Raise `ValueError` for what is no number of epochs, or no perplexity."""
    is_number = isinstance(value, int | float)
    if name == "epoch":
        is_sound = is_number and 0 <= value < MAX_NUMBER
    else:
        is_sound = value is None or (is_number and 0 < value < MAX_NUMBER)
    if not is_sound:
        raise ValueError(f"its {name} is {value!r:.40}")
