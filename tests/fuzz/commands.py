"""Random command lines, with hostile values, files, variables and input: python tests/fuzz/commands.py"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import campaign
import click
from hostile import random_bytes, random_text

import rnncli
from rnncli.cli import COMMANDS, main
from rnncli.training.trainer import Trainer

TEXT = "The cat sat on the mat.\nA dog ran to the old house, and it was late.\nThe cat and the dog ate.\n" * 3
STATUSES = {0, 1, 2, 130, 141, 143}
MAX_INPUT = 1000  # bytes: --explain takes a time that grows with the square of a prompt
MAX_STEPS = 2  # of a training
HUGE = str(10**400)
NUMBERS = (
    "0", "1", "2", "3", "7", "-1", "-0", "1e3", "0.5", "1e999", "-1e999", "1e-320", "nan", "inf", "-inf",
    HUGE, "9" * 5000, "99999999999999999999", "20k", "1.5M", "1,000", "1_000", "0x10", "٣", "½", "", " ", "1 ",
    "abc", "1e", "\0", "3s", "1m", "1h30m", "0s", "1e999s", HUGE + "h", "-3s", "1.5.5s",
)  # fmt: skip
PATHS = (
    "text.txt", "model.npz", "table.csv", "page.html", "hostile.txt", "binary", "folder", "empty", "loop", "loop/x",
    "nowhere", "folder/nowhere", "-", ".", "", "a\nb", "\x1b[31m", "x" * 300, "bundled", "~", "noise.npz", "*",
    "\udcff", "-x", "--", "text.txt/x",
)  # fmt: skip
WORDS = (
    "The", "The cat", "", " ", "___", "the ___ cat", "_____", "a" * 3000, "cat,dog", ",", "the,,cat", "\0", "\udcff",
    "<unk>", "<eos>", "猫", "e\u0301" * 50, "'", "-", "--", "\n", "The\ncat", "%s", "[red]x[/red]", "utf-8", "utf-16",
    "base64", "klingon", "latin-1", "idna", "undefined", "rot13", "\ud800",
)  # fmt: skip
SMALL = {"train": ["--epochs", "1", "--hidden-size", "4", "--threads", "1"], "generate": ["-n", "3", "--samples", "1"]}


@cache
def command(name: str) -> click.Command:
    """Return one of the commands."""
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


@cache
def model_bytes() -> bytes:
    """Return the file of a tiny model."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "text.txt").write_text(TEXT, encoding="utf-8")
        rnncli.save(rnncli.train(Path(folder, "text.txt"), epochs=1, hidden_size=4, seed=1), Path(folder, "model.npz"))
        return Path(folder, "model.npz").read_bytes()


def prepare(rng: random.Random) -> None:
    """Put the files that command lines name into the current folder."""
    model = bytearray(model_bytes())
    Path("model.npz").write_bytes(model)
    model[rng.randrange(len(model))] ^= 1 + rng.randrange(255)
    Path("noise.npz").write_bytes(model)
    Path("models").mkdir()
    Path("models", "english.npz").write_bytes(model_bytes())
    Path("text.txt").write_text(TEXT, encoding="utf-8")
    Path("table.csv").write_text("id,text\n1,The cat\n2,A dog sat\n", encoding="utf-8")
    Path("page.html").write_text("<p>The cat<p>A dog", encoding="utf-8")
    Path("hostile.txt").write_bytes(random_bytes(rng)[0])
    Path("binary").write_bytes(rng.randbytes(500))
    Path("empty").touch()
    Path("folder").mkdir()
    Path("folder", "a.txt").write_text(TEXT, encoding="utf-8")
    Path("folder", "b").write_bytes(random_bytes(rng)[0])
    with contextlib.suppress(OSError):
        Path("loop").symlink_to("loop")
        Path("folder", "up").symlink_to("..")


def value(rng: random.Random, parameter: click.Parameter) -> str:
    """Return a value for a parameter, more often of its own kind than not."""
    kind = parameter.type
    if rng.random() < 0.15:
        return rng.choice((*NUMBERS, *PATHS, *WORDS, random_text(rng)[:200])).replace("\0", "\ufffd")
    if isinstance(kind, click.Choice):
        return rng.choice([*kind.choices, *WORDS])
    if isinstance(kind, click.Path):
        return rng.choice((*PATHS, *["text.txt", "model.npz"] * 8))
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType) or kind.name == "duration":
        return rng.choice((*NUMBERS, *"123456789"))
    return rng.choice((*WORDS, *["The cat", "the"] * 5))


def arguments(rng: random.Random) -> list[str]:
    """Return a command line."""
    name = rng.choice(list(COMMANDS)) if rng.random() < 0.97 else rng.choice((*WORDS, *PATHS))
    if name not in COMMANDS:
        return [name, *rng.sample(WORDS, rng.randint(0, 3))]
    found = [name]
    parameters = list(command(name).params)
    for parameter in rng.choices(parameters, k=rng.choice((0, 1, 1, 2, 3, 5, 8))):
        if isinstance(parameter, click.Option):
            flag = rng.choice([*parameter.opts, *parameter.secondary_opts])
            if parameter.is_flag:
                found.append(flag)
            elif rng.random() < 0.97:
                text = value(rng, parameter)
                is_joined = flag.startswith("--") and rng.random() < 0.3
                found += [f"{flag}={text}"] if is_joined else [flag, text]
            else:
                found.append(flag)
        else:
            found.append(value(rng, parameter))
    if rng.random() < 0.8 and name != "train":
        found += ["-m", "model.npz"]
    if name == "train" and rng.random() < 0.7:
        found.insert(1, "text.txt")
    if rng.random() < 0.05:
        found.insert(rng.randint(0, len(found)), rng.choice(("--", "-", "-x", "--nothing", "--help", "-V", "-h")))
    return [possible(argument) for argument in [*found, *SMALL.get(name, [])]]


def possible(argument: str) -> str:
    """Return an argument as a system gives it: without zero bytes, and with those surrogates that stand for bytes."""
    return argument.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def variables(rng: random.Random) -> dict[str, str]:
    """Return variables of the environment, some of them hostile."""
    found = {"RNNCLI_TRAIN_OUTPUT": "out.npz"}
    if rng.random() < 0.3:
        parameter = rng.choice([option for name in COMMANDS for option in command(name).params if option.envvar])
        text = value(rng, parameter)
        with contextlib.suppress(UnicodeError):
            os.fsencode(text)
            found[str(parameter.envvar)] = text
    if rng.random() < 0.1:
        name = rng.choice(("COLUMNS", "LINES", "NO_COLOR", "TERM", "LANG"))
        found[name] = rng.choice((*NUMBERS, *WORDS)).replace("\0", "")
    return {name: text.replace("\0", "") for name, text in found.items() if "\ud800" not in text}


def check(rng: random.Random) -> str:
    """Run one random command line in a folder of its own. Returns the command and its status."""
    with tempfile.TemporaryDirectory() as folder, inside(folder):
        prepare(rng)
        argv = arguments(rng)
        data = rng.choice((b"", b"The cat\n", random_bytes(rng)[0][:MAX_INPUT]))
        environment = variables(rng)
        out, err = Captured(), Captured()
        with streams(data, out, err, environment):
            try:
                main.main(argv, prog_name="rnncli")
                status: object = 0
            except SystemExit as end:
                status = end.code
            except Exception as error:
                raise AssertionError(f"a traceback after {argv!r}, {environment!r}, {data!r}") from error
    told = f"{argv!r}, {environment!r}, {data!r}: {err.text()[-1000:]}"
    assert status in STATUSES, f"status {status} after {told}"
    assert status == 0 or "Error" in err.text(), f"no error is told after {told}"
    assert "Traceback" not in err.text(), f"a traceback after {told}"
    return f"{argv[0] if argv[0] in COMMANDS else 'other'} {status}"


@contextlib.contextmanager
def inside(folder: str) -> Iterator[None]:
    """Make a folder the current one."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Captured(io.TextIOWrapper):
    """A stream of the command line, which is kept."""

    def __init__(self) -> None:
        self.kept = io.BytesIO()
        super().__init__(self.kept, encoding="utf-8", write_through=True)

    def text(self) -> str:
        """Return what was written."""
        return self.kept.getvalue().decode("utf-8", "replace")


@contextlib.contextmanager
def streams(data: bytes, out: Captured, err: Captured, environment: dict[str, str]) -> Iterator[None]:
    """Give the command line its input, output and variables, and end its trainings after some steps."""
    source = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    whole = Trainer.run
    descriptors = [os.dup(number) for number in (1, 2)]  # which a command closes where it cannot write
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RNNCLI_")}
    with (
        mock.patch.dict(os.environ, {**kept, **environment}, clear=True),
        mock.patch.object(sys, "stdin", source),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
        mock.patch("rnncli.cli.options.PACKAGE", Path().absolute()),
        mock.patch.object(Trainer, "run", lambda self: itertools.islice(whole(self), MAX_STEPS)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for number, kept_open in enumerate(descriptors, 1):
                os.dup2(kept_open, number)
                os.close(kept_open)


if __name__ == "__main__":
    campaign.main(check, "tests/fuzz/commands.py")
