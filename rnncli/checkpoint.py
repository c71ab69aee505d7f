"""The model file: one `.npz` that NumPy alone can read, safe to load from a stranger.

format        the number of this layout
config        JSON: the network's shape, the tokenizer, the unit of text
vocabulary    the words in UTF-8, one a line, as bytes
about         JSON: the corpus, the settings and the course of the training, the versions of the programs
...           one float32 array for each parameter, under its name
"""

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from .errors import ModelError, SettingError
from .lm.network import Config, Network
from .model import Model
from .text.tokenizers import Tokenizer
from .text.vocabulary import EOS, UNK, Vocabulary

FORMAT = 1


def save(model: Model, path: str | Path) -> None:
    """Write a model to `path`: whole, or not at all. What stood there before stays until the new file is complete."""
    config = {"network": asdict(model.lm.config), "tokenizer": asdict(model.tokenizer), "unit": model.unit}
    arrays = {
        "format": np.array(FORMAT),
        "config": np.array(json.dumps(config)),
        "vocabulary": np.frombuffer("\n".join(model.vocabulary.words).encode(), np.uint8),
        "about": np.array(json.dumps(model.about)),
        **{name: parameter.value for name, parameter in model.lm.named_parameters().items()},
    }
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(draft, "xb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror or error}") from error


def load(path: str | Path) -> Model:
    """Read a model from `path`. Raises `ModelError`, which says what is wrong, for anything but a sound model."""
    path = Path(path)
    arrays = _read_arrays(path)
    if "format" not in arrays or "config" not in arrays:
        raise ModelError(f"{path} is not a model of rnncli: name a file that `rnncli train` wrote")
    try:
        if (version := int(arrays["format"])) != FORMAT:
            newer = "a newer rnncli: upgrade to use it" if version > FORMAT else "an rnncli that is no more"
            raise ModelError(f"{path} (format {version}) was written by {newer}")
        config = json.loads(str(arrays["config"]))
        shape = _from_json(Config, config["network"])
        if shape.layers > len(arrays):
            raise ValueError(f"it speaks of {shape.layers} layers")
        return Model(
            Network(shape, _parameters(shape, arrays)),
            _vocabulary(arrays["vocabulary"], shape.vocabulary_size),
            _from_json(Tokenizer, config["tokenizer"]),
            str(config["unit"]),
            _about(str(arrays["about"])),
        )
    except (ValueError, TypeError, KeyError, RecursionError, SettingError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise ModelError(f"{path} is damaged: {reason}") from error


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an uncompressed `.npz`. Nothing larger than the file itself is ever asked of the memory."""
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            arrays = {}
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
                    raise ModelError(f"{path} is not a model of rnncli: it is compressed")
                with archive.open(member) as file:
                    arrays[member.filename.removesuffix(".npy")] = _read_array(file)
            return arrays
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError, SyntaxError) as error:
        whole = zipfile.is_zipfile(path)
        reason = f"is damaged: {error}" if whole else "is not a model of rnncli, or was cut short"
        raise ModelError(f"{path} {reason}") from error


def _read_array(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(file)
    if dtype.kind not in "fiuU":
        raise ValueError(f"an array of {dtype} has no place in a model")
    data = file.read()
    if len(data) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError("an array is not as long as it says")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


def _from_json(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass from its JSON, each value of the type of its field."""
    for field in fields(kind):
        wanted = (int, float) if field.type is float else field.type
        value = values[field.name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and field.type is not bool):
            raise ValueError(f"its {field.name} is {value!r}")
    return kind(**{field.name: values[field.name] for field in fields(kind)})


def _about(text: str) -> dict[str, Any]:
    """What training left to tell, as far as others rely on it: sections, and numbers for each epoch."""
    about = json.loads(text)
    sections = (
        [about.get(name, {}) for name in ("corpus", "settings", "versions")] if isinstance(about, dict) else [about]
    )
    if not all(isinstance(section, dict) for section in sections):
        raise ValueError("what it tells of its training makes no sense")
    for epoch in about.get("history", []):
        for name in ("epoch", "train_perplexity", "valid_perplexity"):
            if not (epoch[name] is None or (isinstance(epoch[name], int | float) and epoch[name] > 0)):
                raise ValueError(f"its history says {epoch[name]!r} for {name}")
    return about


def _vocabulary(data: np.ndarray, size: int) -> Vocabulary:
    words = data.tobytes().decode().split("\n")
    if words[:2] != [EOS, UNK] or len(words) != size or len(set(words)) != size:
        raise ValueError(f"its vocabulary is not one of {size} different words")
    return Vocabulary(words)


def _parameters(config: Config, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values = {}
    for name, shape in config.shapes().items():
        value = arrays[name]
        if value.shape != shape or value.dtype != np.float32:
            raise ValueError(f"{name} is {value.dtype} {value.shape}, and should be float32 {shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"{name} holds values that are not finite")
        values[name] = value
    return values
