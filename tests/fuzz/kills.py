"""Stops trainings at random moments, and checks that nothing is lost.

python tests/fuzz/kills.py TEXT [--kills 200] [--signals 20] [--seed 1]

Each training is stopped again and again, and goes on by `--resume`, or begins anew where it was stopped before its
first checkpoint. In the end its model must be the same to the byte as that of a training that was never stopped, and
nothing else may be left. SIGKILL comes without notice, also while a checkpoint or the model is written. A training that
is told to end by other signals must say so by its status. TEXT is a text of some 100 kB; of a larger one the beginning
is used.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

TEXT_BYTES = 100_000
TRAININGS = {
    "lstm": ["--cell", "lstm", "--threads", "2"],
    "gru": [
        "--cell",
        "gru",
        "--layers",
        "2",
        "--dropout",
        "0.3",
        "--word-dropout",
        "0.1",
        "--recurrent-dropout",
        "0.2",
    ],
    "elman": ["--cell", "elman", "--softmax", "sampled", "--samples", "300", "--untied", "--threads", "1"],
}
USUAL = ["--hidden-size", "96", "--epochs", "3", "--checkpoint-every", "0.1s", "-q"]
STOPS = 10  # of one training, at most
POLITE = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Training:
    """A training in a folder of its own."""

    def __init__(self, folder: Path, text: Path, options: list[str]):
        self.folder = folder
        self.words = [str(Path(sys.executable).with_name("rnncli")), "train", str(text), *USUAL, *options]
        self.words += ["-o", "model.npz"]

    def resume(self) -> list[str]:
        """Return what the command needs besides, where there is a checkpoint."""
        return ["--resume"] if (self.folder / "model.checkpoint.npz").exists() else []

    def start(self) -> subprocess.Popen:
        """Begin, or go on where there is a checkpoint."""
        return subprocess.Popen(
            [*self.words, *self.resume()], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def left(self) -> set[str]:
        """Return the names of all files in the folder."""
        return set(os.listdir(self.folder))

    def is_being_written(self) -> bool:
        """Whether a draft is in the folder."""
        return any(name.endswith(".part") for name in self.left())


def wait(process: subprocess.Popen, seconds: float, until=lambda: False) -> None:
    """Wait until a process has ended, or until a time or a condition has come."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end and not until():
        time.sleep(0.0005)


def stop_again_and_again(
    training: Training, whole: bytes, seconds: float, rng: random.Random, found: Counter, number: int
) -> int:
    """Stop a training up to `STOPS` times before it ends; return how often it was stopped."""
    taken = 0
    while True:
        process = training.start()
        if taken < STOPS:
            if rng.random() < 0.3:  # wait for the moment when a file is written
                wait(process, seconds, training.is_being_written)
                time.sleep(rng.random() * 0.01)
            else:
                wait(process, rng.random() * seconds)
        else:
            process.wait()
        if process.poll() is None:
            taken += 1
            found["while a file was written"] += training.is_being_written()
            process.send_signal(number)
        error = process.communicate()[1]
        check(training, process.returncode, error, number, found)
        if process.returncode == 0:
            break
    judge(training, whole, found)
    return taken


def kill_and_train_another(training: Training, whole: bytes, seconds: float, rng: random.Random, found: Counter) -> int:
    """Kill a training, and train another model in its folder: no more may be left than a model and a checkpoint."""
    process = training.start()
    wait(process, rng.random() * seconds)
    process.kill()
    process.communicate()
    subprocess.run([*training.words[:-1], "other.npz"], cwd=training.folder, check=True, capture_output=True)
    found["same model"] += (training.folder / "other.npz").read_bytes() == whole
    found["left behind"] += not training.left() <= {"model.npz", "model.checkpoint.npz", "other.npz"}
    return 1


def close_terminals(training: Training, whole: bytes, seconds: float, rng: random.Random, found: Counter) -> int:
    """Run a training in terminals that are closed at random moments; return how many were."""
    name = f"rnncli-{os.getpid()}"
    closed = 0
    while not (training.folder / "model.npz").exists() or "model.checkpoint.npz" in training.left():
        (training.folder / "pid").unlink(missing_ok=True)
        words = " ".join([*training.words, *training.resume()])
        subprocess.run(
            ["tmux", "-L", name, "new", "-d", "-s", name, f"cd {training.folder}; echo $$ > pid; exec {words}"],
            check=True,
        )
        time.sleep(0.2 + rng.random() * seconds)
        closed += subprocess.run(["tmux", "-L", name, "kill-session", "-t", name], capture_output=True).returncode == 0
        status = Path("/proc", (training.folder / "pid").read_text().strip(), "status")
        while status.exists() and "State:\tZ" not in status.read_text():  # a zombie has ended
            time.sleep(0.01)
    (training.folder / "pid").unlink()
    judge(training, whole, found)
    return closed


def pipe_into_head(training: Training, whole: bytes, seconds: float, rng: random.Random, found: Counter) -> int:
    """Run a training whose reader ends after some lines; it must go on to its end."""
    words = " ".join(training.words).replace(" -q", "")
    subprocess.run(
        ["bash", "-c", f"{words} 2>&1 | head -n {rng.randint(1, 4)}"], cwd=training.folder, stdout=subprocess.DEVNULL
    )
    judge(training, whole, found)
    return 1


def judge(training: Training, whole: bytes, found: Counter) -> None:
    """Count whether a training has ended as one that was never stopped."""
    is_same = (training.folder / "model.npz").read_bytes() == whole
    found["same model" if is_same else "other model"] += 1
    found["left behind"] += training.left() != {"model.npz"}


def check(training: Training, status: int, error: str, number: int, found: Counter) -> None:
    """Count how a process ended."""
    if status in (0, -number, 128 + number) and "Traceback" not in error:  # -number: before the training began
        found[f"ended by {signal.Signals(number).name}" if status else "ended by itself"] += 1
        return
    found["ended otherwise"] += 1
    print(f"status {status}: {error}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--signals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for number in POLITE:  # a job in the background ignores some of them, and so do those that it starts
        signal.signal(number, signal.SIG_DFL)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        text.write_bytes(arguments.text.read_bytes()[:TEXT_BYTES].rpartition(b"\n")[0])
        whole = {}
        for name, options in TRAININGS.items():
            training = Training(Path(tempfile.mkdtemp(dir=folder)), text, options)
            began = time.monotonic()
            training.start().wait()
            whole[name] = (training.folder / "model.npz").read_bytes(), time.monotonic() - began
        campaigns = {
            "SIGKILL": (partial(stop_again_and_again, number=signal.SIGKILL), arguments.kills),
            **{
                signal.Signals(number).name: (partial(stop_again_and_again, number=number), arguments.signals)
                for number in POLITE
            },
            "SIGKILL, then another training": (kill_and_train_another, arguments.kills // STOPS),
            "terminal closed": (close_terminals, arguments.signals if shutil.which("tmux") else 0),
            "piped into head": (pipe_into_head, arguments.signals),
        }
        failed = False
        for title, (campaign, count) in campaigns.items():
            found: Counter = Counter()
            stops = 0
            while stops < count:
                for name, options in TRAININGS.items():
                    training = Training(Path(tempfile.mkdtemp(dir=folder)), text, options)
                    stops += campaign(training, *whole[name], rng=rng, found=found)
                    shutil.rmtree(training.folder)
            failed = failed or any(found[name] for name in ("other model", "left behind", "ended otherwise"))
            counts = ", ".join(f"{number} {outcome}" for outcome, number in found.items() if number)
            print(f"{title}, {stops} times: {counts}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
