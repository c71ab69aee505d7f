"""What tests share: small texts, a model trained on one, and finite differences."""

import itertools
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy comes: small products lose more by threads than they gain

import hypothesis
import numpy as np
import pytest

from rnncli import training

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

SUBJECTS = {"Tom": "he", "Mary": "she", "The doctor": "he", "My sister": "she"}
SCHOOL = {"science": "study", "music": "play", "French": "read", "chess": "lose"}


def small_text() -> str:
    """A few hundred words in which the last one depends on the first ones."""
    lines = []
    for (subject, pronoun), (field, verb) in itertools.product(SUBJECTS.items(), SCHOOL.items()):
        lines.append(f"{subject} is good at {field}, so {pronoun} will not {verb} more.")
        lines.append(f"{subject} is not good at {field}, so {pronoun} will {verb} more.")
    return "\n".join(lines * 6) + "\n"


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "school.txt"
    path.write_text(small_text(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(corpus_file):
    """A model that has learned the small text. Shared: a test must not change it."""
    return training.train(
        [corpus_file], hidden_size=32, epochs=60, patience=60, bptt=13, batch_size=2, dropout=0.0, lr=0.02
    )


@pytest.fixture(scope="session")
def model_file(model, tmp_path_factory) -> Path:
    from rnncli import save

    path = tmp_path_factory.mktemp("models") / "school.npz"
    save(model, path)
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def check_gradient():
    """A check that `gradient` is the derivative of `loss()` with respect to `array`, by central differences."""

    def check(loss, array: np.ndarray, gradient: np.ndarray, step: float = 1e-6) -> None:
        assert array.dtype == np.float64
        assert gradient.shape == array.shape
        numeric = np.empty_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = loss()
            array[place] = kept - step
            below = loss()
            array[place] = kept
            numeric[place] = (above - below) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)

    return check


@pytest.fixture(scope="session")
def rnncli_path() -> str:
    """The installed command: where pip puts it beside the packages with --target, or among the interpreter's own."""
    folders = [*(str(Path(folder, "bin")) for folder in sys.path), sysconfig.get_path("scripts")]
    return shutil.which("rnncli", path=os.pathsep.join(folders))


@pytest.fixture
def environment(rnncli_path) -> dict[str, str]:
    """The variables of a user who has rnncli on the path, and no other settings."""
    others = ("NO_COLOR", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in others and not name.startswith("RNNCLI_")}
    return {**kept, "PATH": f"{Path(rnncli_path).parent}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm-256color"}


@pytest.fixture
def shell(environment):
    """Run a command in a shell without a terminal."""

    def run(command: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            **options,
        )

    return run


@pytest.fixture
def terminal(environment, tmp_path):
    """Run a command in a shell in a terminal, in a folder of its own: what is shown, and the exit status.

    The `keys` are pressed at once, or when the terminal is shown what they are to come `after`.
    """

    def run(command: str, columns: int = 80, keys: bytes = b"", after: bytes = b"") -> tuple[str, int]:
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            os.execve("/bin/bash", ["bash", "-c", command], {**environment, "COLUMNS": str(columns)})
        shown, pressed = b"", False
        while True:
            if not pressed and after in shown:
                pressed = True
                os.write(fd, keys)
            if not select.select([fd], [], [], 60)[0]:
                os.kill(pid, signal.SIGKILL)
                break
            try:
                data = os.read(fd, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            shown += data
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)

    return run
