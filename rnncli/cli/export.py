"""rnncli export"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ModelError, RnncliError
from .options import load_model, model_option
from .output import escape_controls, flush, for_stdout, on_terminal, tell, write

if TYPE_CHECKING:
    from ..lm.network import Network
    from ..model import Model
    from ..storage.atomic import FileKind

LINES_PER_WRITE = 10_000


@click.command("export")
@model_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["arpa", "safetensors", "onnx"]),
    default="arpa",
    show_default=True,
    help="arpa: the n-grams, for SRILM, KenLM and others; safetensors: the networks, for PyTorch; onnx: one step of the"
    " networks.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: standard output]",
)
def command(model_path: Path | None, kind: str, output: Path | None) -> None:
    """Write a part of a model in a format of other programs.

    \b
    rnncli export --format arpa -o corpus.arpa
    rnncli export -m models/corpus.npz | gzip > corpus.arpa.gz
    rnncli export --format safetensors -o corpus.safetensors
    """
    from ..lm.arpa import arpa_lines
    from ..lm.voice import FirstVoice
    from ..model import LICENSE
    from ..storage.atomic import ARPA, ONNX, SAFETENSORS, write_lines

    if output is not None and str(output) == "-":
        output = None
    model = load_model(model_path)
    if model.lm.find(FirstVoice):
        raise ModelError("the model is a mix: export the two that it was made of")
    if kind in BINARY:
        _write_bytes(BINARY[kind](model), output, SAFETENSORS if kind == "safetensors" else ONNX)
    elif output is None:
        lines = arpa_lines(model.ngram, model.vocabulary.words)
        while block := "".join(f"{for_stdout(line)}\n" for line in itertools.islice(lines, LINES_PER_WRITE)):
            write(block)
    else:
        write_lines(arpa_lines(model.ngram, model.vocabulary.words), output, ARPA)
    if kind not in BINARY and LICENSE in model.about:
        tell(f"License: {escape_controls(str(model.about[LICENSE]))}. The ARPA file does not tell it.")
    if output:
        click.echo(escape_controls(str(output)))


def _safetensors(model: Model) -> bytes:
    """The networks as a file of safetensors, with their shape and the words in its metadata."""
    from dataclasses import asdict

    from ..lm.state_dict import state_dict
    from ..model import license_of

    networks = _networks(model, "safetensors.numpy")
    from safetensors.numpy import save

    described = {"config": asdict(networks[0].config), "words": list(model.vocabulary.words), **license_of(model)}
    # In one entry: several would be written in another order each time.
    data: bytes = save(state_dict(networks), {"rnncli": json.dumps(described)})
    return data


def _onnx(model: Model) -> bytes:
    """One step of the networks as a file of ONNX."""
    from ..lm.onnx_step import onnx_step
    from ..model import license_of

    return onnx_step(_networks(model, "onnx"), model.vocabulary.words, license_of(model))


BINARY: dict[str, Callable[[Model], bytes]] = {"safetensors": _safetensors, "onnx": _onnx}


def _networks(model: Model, module: str) -> tuple[Network, ...]:
    """The networks of a model, for a format that needs a module of another package."""
    from ..lm.ensemble import networks_of

    try:
        import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise RnncliError(f"this format needs the package {package}: pip install {package}") from error
    networks = networks_of(model.lm)
    if not networks:
        raise ModelError("the model holds no network: train a new one")
    return networks


def _write_bytes(data: bytes, output: Path | None, kind: FileKind) -> None:
    """Write a file, or what another program reads."""
    from ..storage.atomic import write_whole

    if output:
        write_whole(output, lambda file: file.write(data), kind)
    elif on_terminal(sys.stdout):
        raise click.UsageError("This format is not for a terminal: name a file with --output.")
    elif sys.stdout is not None:
        flush()
        sys.stdout.buffer.write(data)
