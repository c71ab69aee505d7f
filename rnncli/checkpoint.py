"""The model file: one `.npz` that NumPy alone can read, safe to load from a stranger.

format        the number of this layout
config        JSON: the network's shape, the order of the n-grams, the cache, the tokenizer, the unit of text
vocabulary    the words in UTF-8, one a line, as bytes
about         JSON: the corpus, the settings and the course of the training, the versions of the programs
ngram.*       the n-gram model: `unigrams`, and what `rnncli.lm.ngram.Level` says for each length from 2 on
shares        of each part in a prediction, by the length of the context that the n-gram model knows
...           one float32 array for each parameter of the network, under its name

Members are stored as they are, and begin at multiples of 64 bytes, so that a file is mapped, not read: of a large one
only what is used is ever fetched.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from .archive import ForeignError, read_arrays, write_arrays
from .errors import ModelError
from .lm.cache import Cache
from .lm.mixture import Mixture
from .lm.network import Config, Network
from .lm.ngram import LONGEST, Level, NGram
from .model import Model
from .text.tokenizers import Tokenizer
from .text.vocabulary import StoredVocabulary

FORMAT = 1
SECTIONS = ("corpus", "settings", "versions", "tuning")
NUMBERS = ("epoch", "train_perplexity", "valid_perplexity")
LARGEST = 1e6  # no parameter of a sound model comes near, and the sums of larger ones might run over


def save(model: Model, path: str | Path) -> None:
    """Write a model to `path`: whole, or not at all. What stood there before stays until the new file is complete.

    Raises `ModelError` where it cannot be written, or the model is one that has read a text (`Model.adapted`).
    """
    if model.lm.beginning is not None:
        raise ModelError("a model that has adapted to a text is not written: train one on the text with --init")
    lm = model.lm
    for name, parameter in lm.network.named_parameters().items():
        if not _moderate(parameter.value):
            raise ModelError(f"{name} holds values that are not finite, or huge: train with a smaller --lr")
    config = {
        "network": asdict(lm.network.config),
        "ngram_order": lm.ngram.order if lm.ngram else 0,
        "cache": asdict(lm.cache) if lm.cache else None,
        "tokenizer": asdict(model.tokenizer),
        "unit": model.unit,
    }
    arrays = {
        "format": np.array(FORMAT),
        "config": np.array(json.dumps(config)),
        "vocabulary": np.frombuffer(model.vocabulary.text(), np.uint8),
        "about": np.array(json.dumps(model.about)),
        **{name: parameter.value for name, parameter in lm.network.named_parameters().items()},
        **(_ngram_arrays(lm.ngram) if lm.ngram else {}),
        "shares": lm.shares,
    }
    with _draft(Path(path)) as (path, draft):
        with draft.open("xb") as file:
            write_arrays(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)


def write_lines(lines: Iterable[str], path: str | Path, begins: str) -> None:
    """Write a text file of these lines in UTF-8: whole, or not at all, and not over one that `begins` otherwise."""
    with _draft(Path(path)) as (path, draft):
        if path.exists():
            with path.open("rb") as file:
                if file.read(len(begins)) not in (b"", begins.encode()):
                    raise ModelError(f"{path} is something else, and would be overwritten: name another file")
        with draft.open("x", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)


def check_writable(path: str | Path) -> None:
    """Raise `ModelError` if `save` could not write to `path`, or would replace there what is not a model."""
    with _draft(Path(path)) as (path, draft):
        draft.touch(exist_ok=False)
        if path.exists():
            with path.open("rb") as file:
                if file.read(2) not in (b"", b"PK"):
                    raise ModelError(
                        f"{path} is not a model, and would be overwritten: name another file for the model"
                    )


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, Path]]:
    """The file that `path` means, and where to prepare it: beside it, so that it can be moved there in one step."""
    try:
        if path.exists() and not path.is_file():  # a pipe has no end to wait for, and a device must not be replaced
            raise ModelError(f"{path} is not a file that can be replaced: name another one")
        path = Path(os.path.realpath(path)) if path.is_symlink() else path  # a link stays
        draft = path.with_name(f".rnncli-{os.urandom(4).hex()}.part")  # of its own, whoever else is writing there
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield path, draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror or error}") from error


def load(path: str | Path, *, checked: bool = True) -> Model:
    """Read a model from `path`. Raises `ModelError`, which says what is wrong, for anything but a sound model.

    Unless it is `checked`, what would need the whole file to be read is left out: its checksums, and whether all of its
    n-grams make sense. Those that do not are told when they are used.
    """
    path = Path(path)
    if path.is_dir():
        raise ModelError(f"{path} is a folder: name a model in it")
    try:
        return _model(read_arrays(path, checked), checked)
    except (ModelError, MemoryError):
        raise
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except ForeignError as error:
        raise ModelError(f"{path} {error}") from error
    except Exception as error:  # a stranger's bytes can bring about anything
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise ModelError(f"{path} is damaged: {reason}") from error


def _model(arrays: dict[str, np.ndarray], checked: bool) -> Model:
    if not {"format", "config"} <= set(arrays):
        raise ForeignError("is not a model of rnncli: name a file that `rnncli train` wrote")
    version = arrays["format"]
    if version.shape or version.dtype.kind not in "iu":
        raise ValueError("its format is not a number")
    if version != FORMAT:
        newer = "a newer rnncli: upgrade to use it" if version > FORMAT else "an older rnncli: train it anew"
        raise ForeignError(f"(format {version}) was written by {newer}")
    config = json.loads(_text(arrays["config"]))
    shape = _from_json(Config, config["network"])
    if config["unit"] not in ("line", "paragraph"):
        raise ValueError(f"its unit is {config['unit']!r}")
    network = Network(shape, _parameters(shape, arrays))
    return Model(
        _mixture(network, config, arrays, checked),
        _vocabulary(arrays["vocabulary"], shape.vocabulary_size, checked),
        _from_json(Tokenizer, config["tokenizer"]),
        config["unit"],
        _about(_text(arrays["about"])),
    )


def _text(array: np.ndarray) -> str:
    if array.shape or array.dtype.kind != "U":
        raise ValueError("it holds numbers where text should be")
    return str(array)


def _from_json(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass from its JSON, each value of the type of its field; what an older file does not know is as usual."""
    known = [field for field in fields(kind) if field.name in values or field.default is MISSING]
    for field in known:
        wanted = (int, float) if field.type is float else field.type
        value = values[field.name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and field.type is not bool):
            raise ValueError(f"its {field.name} is {value!r}")
    return kind(**{field.name: values[field.name] for field in known})


def _about(text: str) -> dict[str, Any]:
    """What training left to tell, as far as others rely on it: sections, and numbers for each epoch."""

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"what it tells of its training holds {number}")
        return value

    about = json.loads(text, parse_float=finite, parse_constant=finite)
    if not all(isinstance(section, dict) for section in (about, *(about.get(name, {}) for name in SECTIONS))):
        raise ValueError("what it tells of its training makes no sense")
    told = [(epoch, name) for epoch in about.get("history", []) for name in NUMBERS]
    for section, name in [*told, (about, "best_valid_perplexity")]:
        value = section[name] if section is not about else about.get(name)
        if name == "epoch":
            sensible = isinstance(value, int | float) and 0 <= value < 1e300
        else:
            sensible = value is None or (isinstance(value, int | float) and 0 < value < 1e300)
        if not sensible:
            raise ValueError(f"its {name} is {value!r:.40}")
    return about


def _vocabulary(data: np.ndarray, size: int, checked: bool) -> StoredVocabulary:
    vocabulary = StoredVocabulary(data.tobytes())
    if len(vocabulary) != size or (checked and len(vocabulary.numbers) != size):
        raise ValueError(f"its vocabulary is not one of {size} different words")
    return vocabulary


def _parameters(config: Config, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values = {}
    for name, shape in config.shapes().items():
        value = arrays[name]
        if value.shape != shape or value.dtype != np.float32:
            raise ValueError(f"{name} is {value.dtype} {value.shape}, and should be float32 {shape}")
        if not _moderate(value):
            raise ValueError(f"{name} holds values that are not finite, or huge")
        values[name] = np.ascontiguousarray(value)
    return values


def _moderate(value: np.ndarray) -> bool:
    """Whether no number of a value is huge, and none is not a number."""
    return bool(value.min() > -LARGEST and value.max() < LARGEST)


def _ngram_arrays(ngram: NGram) -> dict[str, np.ndarray]:
    levels = enumerate(ngram.levels, 2)
    arrays = {f"ngram.{n}.{field.name}": getattr(level, field.name) for n, level in levels for field in fields(Level)}
    return {"ngram.unigrams": ngram.unigrams, **arrays}


def _ngram(arrays: dict[str, np.ndarray], order: int, vocabulary_size: int, checked: bool) -> NGram:
    """The n-gram model; where it is checked, so far that nothing in it points to where there is nothing."""
    unigrams, levels, contexts = arrays["ngram.unigrams"], [], vocabulary_size
    sound = unigrams.shape == (contexts,) and unigrams.dtype.kind == "f" and (unigrams > 0).all()
    if not (sound and np.isclose(unigrams.sum(), 1)):
        raise ValueError(f"ngram.unigrams is not a distribution over {contexts} words")
    for n in range(2, order + 1):
        level = Level(**{field.name: arrays[f"ngram.{n}.{field.name}"] for field in fields(Level)})
        size, starts = len(level.words), level.starts
        shapes = {"words": (size,), "counts": (size,), "starts": (contexts + 1,), "rest": (contexts + 1,)}
        for name, shape in shapes.items():
            array = getattr(level, name)
            if array.shape != shape or array.dtype.kind != "u" or array.itemsize > 4:
                raise ValueError(f"ngram.{n}.{name} is {array.dtype} {array.shape}")
        sound = starts[0] == 0 and starts[-1] == size
        if checked:
            sound = sound and (starts[1:] >= starts[:-1]).all()
            sound = sound and (level.words < vocabulary_size).all() and (level.counts > 0).all()
            sound = sound and _in_order(level)
        if not sound:
            raise ValueError(f"its n-grams of {n} words make no sense")
        off = level.discounts
        sound = off.shape == (4,) and off.dtype.kind == "f" and off[0] == 0
        if not (sound and (off[1:] > 0).all() and (off <= np.arange(4)).all()):
            raise ValueError(f"ngram.{n}.discounts are no discounts")
        levels.append(level)
        contexts = size
    return NGram(unigrams, levels)


def _in_order(level: Level) -> bool:
    """Whether the words of each context rise; where its n-grams begin and end must be sound."""
    rising = level.words[1:] > level.words[:-1]
    begins = level.starts[(level.starts > 0) & (level.starts < len(level.words))].astype(np.int64)
    rising[begins - 1] = True  # from one context to the next they need not
    return bool(rising.all())


def _mixture(network: Network, config: dict[str, Any], arrays: dict[str, np.ndarray], checked: bool) -> Mixture:
    order, cache = config.get("ngram_order", 0), config.get("cache")
    if not isinstance(order, int) or not 0 <= order <= LONGEST:
        raise ValueError(f"its ngram_order is {order!r}")
    if cache is not None:
        cache = _from_json(Cache, cache)
        if not 0 < cache.sharpness < LARGEST:
            raise ValueError(f"its cache's sharpness is {cache.sharpness}")
    ngram = _ngram(arrays, order, network.config.vocabulary_size, checked) if order else None
    mixture = Mixture(network, ngram, cache, arrays.get("shares"))
    shares = mixture.shares
    if shares.shape != (order or 1, len(mixture.parts)) or shares.dtype.kind != "f":
        raise ValueError(f"shares is {shares.dtype} {shares.shape}")
    if not ((shares >= 0).all() and (shares[:, 0] > 1e-6).all() and np.allclose(shares.sum(axis=1), 1)):
        raise ValueError("its shares do not sum to one, or the network has none")
    return mixture
