"""What tests share: small texts, a model trained on one, a shell, a terminal, and finite differences."""

import io
import itertools
import os
import random
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy comes: small products lose more by threads than they gain

# A shell that runs the tests in the background ignores Ctrl-C for them, and so for all that they start; `nohup` ignores
# that the terminal is closed; others block or ignore more. The programs under test are to get signals as a user's do.
for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGTSTP", "SIGHUP"):
    if signal.getsignal(number := getattr(signal, name, signal.SIGINT)) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_SETMASK, ())

import hypothesis
import numpy as np
import pytest

import rnncli

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

SHELL_SECONDS = 120  # more than any command of a test takes

SUBJECTS = {"Tom": "he", "Mary": "she", "The doctor": "he", "My sister": "she"}
SCHOOL = {"science": "study", "music": "play", "French": "read", "chess": "lose"}


def small_text() -> str:
    """A few hundred words in which the last one depends on the first ones."""
    lines = []
    for (subject, pronoun), (field, verb) in itertools.product(SUBJECTS.items(), SCHOOL.items()):
        lines.append(f"{subject} is good at {field}, so {pronoun} will not {verb} more.")
        lines.append(f"{subject} is not good at {field}, so {pronoun} will {verb} more.")
    return "\n".join(lines * 6) + "\n"


@pytest.fixture(autouse=True)
def _speed(monkeypatch):
    """On every machine, what is decided by its speed is decided alike."""
    monkeypatch.setattr("rnncli.training.plan.gflops", lambda *measured: 200.0)


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "school.txt"
    path.write_text(small_text(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(corpus_file):
    """A model that has learned the small text. Shared: a test must not change it."""
    return rnncli.train(
        [corpus_file], hidden_size=32, epochs=60, patience=60, bptt=26, batch_size=2, dropout=0.0, lr=0.02
    )


@pytest.fixture(scope="session")
def model_file(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "school.npz"
    rnncli.save(model, path)
    return path


# A mark that is written in two ways, each of them less often than the word in its place; a rule, and a lookalike.
NOTED_LINES = {
    "The cat slept and purred.": 26,
    "The cat slept -- then left.": 22,
    "The cat slept--then left.": 22,
    "The cat’s toy costs 5€.": 14,
}


@pytest.fixture(scope="session")
def noted_file(tmp_path_factory) -> Path:
    """A text that writes a mark with spaces, and without: it becomes two words, one with a note."""
    lines = [line for line, count in NOTED_LINES.items() for _ in range(count)]
    random.Random(1).shuffle(lines)
    path = tmp_path_factory.mktemp("corpus") / "noted.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def noted_training(noted_file):
    """A training on the text with a noted mark, at its end."""
    training = rnncli.start_training(
        noted_file, hidden_size=8, epochs=15, patience=15, lr=0.02, dropout=0.0, batch_size=2, threads=1
    )
    for _ in training.run():
        pass
    return training


@pytest.fixture(scope="session")
def noted_model(noted_training):
    """A model that has learned the text with a noted mark. Shared: a test must not change it."""
    return noted_training.best()


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
    """The command as it is installed beside this Python."""
    return shutil.which("rnncli", path=sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
def posix() -> None:
    """What a test asks for that needs bash, a terminal of POSIX, named pipes or signals: on Windows it is skipped."""
    if os.name != "posix":
        pytest.skip("needs bash and the terminals, pipes and signals of POSIX")


@pytest.fixture(scope="session")
def environment(rnncli_path) -> dict[str, str]:
    """The variables of a user who has rnncli on the path, and no other settings."""
    others = ("NO_COLOR", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in others and not name.startswith("RNNCLI_")}
    return {**kept, "PATH": f"{Path(rnncli_path).parent}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm-256color"}


@pytest.fixture
def shell(posix, environment):
    """Run a command in a shell without a terminal. What hangs is killed, with all that it has started."""

    def run(command: str, timeout: float = SHELL_SECONDS, **options) -> subprocess.CompletedProcess:
        with subprocess.Popen(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment, start_new_session=True, **options,
        ) as process:  # fmt: skip
            try:
                out, err = process.communicate(timeout=timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


def take_signals_of_python() -> None:
    """In a child: take the signals that Python ignores. `subprocess` does the same."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def terminal(posix, environment, tmp_path):
    """Run a command in a shell in a terminal, in a folder of its own: what is shown, and the exit status.

    The `keys` are pressed at once, or when the terminal is shown what they are to come `after`.
    """
    import pexpect

    def run(command: str, columns: int = 80, keys: bytes = b"", after: bytes = b"") -> tuple[str, int]:
        process = pexpect.spawn(
            "bash",
            ["-c", command],
            cwd=tmp_path,
            env={**environment, "COLUMNS": str(columns)},
            dimensions=(24, columns),
            timeout=60,
            logfile=None,
            preexec_fn=take_signals_of_python,
        )
        process.delaybeforesend = None
        process.ptyproc.delayafterclose = 0
        process.logfile_read = shown = io.BytesIO()
        with process:
            if process.expect_exact([after, pexpect.EOF]) == 0:
                process.send(keys)
                process.expect(pexpect.EOF)
            process.wait()
        status = process.exitstatus if process.signalstatus is None else -process.signalstatus
        return shown.getvalue().decode().replace("\r\n", "\n"), status

    return run
