"""Trainings, evaluations and scores of several ranks under mpiexec."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.lm.network import Network

OPTIONS = "--hidden-size 8 --batch-size 12 --bptt 5 --samples 20 --threads 1 --seed 3 -q"
LONG = f"{OPTIONS} --epochs 100000 --patience 100000"


@pytest.fixture
def mpiexec(posix) -> str:
    """The launcher that comes with MPICH for Python."""
    pytest.importorskip("mpi4py")
    found = shutil.which("mpiexec", path=sysconfig.get_path("scripts"))
    if not found:
        pytest.skip("needs mpiexec")
    return found


@pytest.fixture
def launch(mpiexec, environment, corpus_file, tmp_path):
    """Start a training on ranks in the background: returns the launcher, when the first checkpoint is there."""
    started = []

    def run(options: str, ranks: int = 3, of_launcher: str = "") -> subprocess.Popen:
        command = f"{mpiexec} {of_launcher} -n {ranks} rnncli train {corpus_file} -o model.npz {options}"
        process = subprocess.Popen(
            command.split(), cwd=tmp_path, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        deadline = time.monotonic() + 60
        while not (tmp_path / "model.checkpoint.npz").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    yield run
    for process in started:
        for pid in ranks_of(tmp_path):
            os.kill(pid, signal.SIGKILL)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ranks_of(folder: Path) -> dict[int, int]:
    """Find the processes that train in a folder: their numbers, and their ranks."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if entry.joinpath("cwd").resolve() == folder and b"train" in entry.joinpath("cmdline").read_bytes():
                values = entry.joinpath("environ").read_bytes().split(b"\0")
                found |= {int(entry.name): int(value[9:]) for value in values if value.startswith(b"PMI_RANK=")}
    return found


def assert_it_goes_on(corpus_file: Path, folder: Path, *, after: int) -> None:
    """Assert that the training goes on where it was kept, after so many steps at least."""
    training = rnncli.start_training(corpus_file, resume=folder / "model.checkpoint.npz")
    before = training.state.step
    assert before >= after
    next(progress for progress in training.run() if not progress.report or training.state.step > before)
    assert training.state.step == before + 1


def errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Error: ")]


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_train_one_model_which_is_that_of_one_process(shell, mpiexec, corpus_file, tmp_path, ranks):
    for name in ("one", "two"):
        run = shell(f"{mpiexec} -n {ranks} rnncli train {corpus_file} -o {tmp_path}/{name}.npz {OPTIONS} --epochs 2")
        assert (run.returncode, run.stdout) == (0, f"{tmp_path}/{name}.npz\n"), run.stderr
        assert run.stderr == ""
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    alone = OPTIONS.replace("--threads 1", f"--threads {ranks}")
    shell(f"rnncli train {corpus_file} -o {tmp_path}/alone.npz {alone} --epochs 2")
    of_ranks, of_one = (rnncli.load(tmp_path / f"{name}.npz") for name in ("one", "alone"))
    found = of_ranks.lm.find(Network).values()
    for name, value in of_one.lm.find(Network).values().items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-4)


def test_one_rank_reports_and_all_read_the_time_of_the_first(shell, mpiexec, corpus_file, tmp_path):
    options = OPTIONS.replace("-q", "--log log.jsonl --time 2s")
    run = shell(f"cd {tmp_path}; {mpiexec} -n 2 rnncli train {corpus_file} -o x.npz {options}")
    assert (run.returncode, run.stdout) == (0, "x.npz\n"), run.stderr
    assert run.stderr.count("Saved. Validation perplexity") == 1
    reports = [line for line in run.stderr.splitlines() if line.startswith("epoch")]
    assert len(reports) == len((tmp_path / "log.jsonl").read_text().splitlines()) > 1


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{other}", "rank 1 has another text than rank 0: "),
        ("{corpus} --seed 4", "rank 1 has other options than rank 0: "),
        ("{corpus}.missing", "rank 1 has another text than rank 0: "),
        ("{corpus} --epochs 0", "Invalid value for '--epochs'"),
    ],
)
def test_a_rank_with_another_text_or_command_ends_all_with_one_line(
    shell, mpiexec, corpus_file, tmp_path, second, message
):
    other = tmp_path / "other.txt"
    other.write_text(corpus_file.read_text("utf-8") + "One line more.\n", encoding="utf-8")
    second = second.format(corpus=corpus_file, other=other)
    train = "-n 1 rnncli train"
    options = f"-o {tmp_path}/x.npz {OPTIONS} --mpi-timeout 20s"
    run = shell(f"{mpiexec} {train} {corpus_file} {options} : {train} {options} {second}")
    assert run.returncode != 0
    assert message in run.stderr
    assert len(errors(run.stderr)) == 1
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("stranger", ["import time", "import time; from mpi4py import MPI"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_ranks_that_the_others_do_not_meet_end_in_time(shell, mpiexec, corpus_file, tmp_path, stranger, ranks):
    train = f"rnncli train {corpus_file} -o {tmp_path}/x.npz {OPTIONS} --mpi-timeout 3s"
    run = shell(f"{mpiexec} -n {ranks} {train} : -n 1 {sys.executable} -c '{stranger}; time.sleep(120)'")
    assert run.returncode != 0
    told = "the other ranks were not there after 3 seconds: is rnncli started on all of them?"
    assert errors(run.stderr) == [f"Error: {told}"]


@pytest.mark.parametrize("command", ["train missing.txt", "train", "train --epochs 0", "evaluate missing.txt"])
def test_an_error_of_all_ranks_is_told_once(shell, mpiexec, tmp_path, command):
    run = shell(f"cd {tmp_path}; {mpiexec} -n 3 rnncli {command}")
    assert run.returncode != 0
    assert len(errors(run.stderr)) == 1, run.stderr


@pytest.mark.parametrize("rank", [0, 1])
def test_when_a_rank_falls_silent_all_end_in_time_and_the_training_goes_on(launch, corpus_file, tmp_path, rank):
    process = launch(f"{LONG} --mpi-timeout 3s")
    time.sleep(1)
    (pid,) = (pid for pid, number in ranks_of(tmp_path).items() if number == rank)
    os.kill(pid, signal.SIGSTOP)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    (line,) = errors(err)
    kept = "model.checkpoint.npz keeps the training: go on by --resume"
    assert re.fullmatch(rf"Error: rank {rank} on \S+ was not heard of for \d seconds; {kept}", line)
    assert_it_goes_on(corpus_file, tmp_path, after=1)


def test_when_a_rank_is_killed_and_the_launcher_kills_the_others_the_checkpoint_is_there(launch, corpus_file, tmp_path):
    process = launch(LONG)
    kill_rank(tmp_path, 2)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not ranks_of(tmp_path)
    assert_it_goes_on(corpus_file, tmp_path, after=0)


@pytest.mark.parametrize("rank", [0, 2])
def test_when_a_rank_is_killed_alone_another_one_keeps_the_training(launch, corpus_file, tmp_path, rank):
    for _ in range(8):  # the launcher sometimes kills the others all the same
        process = launch(f"{LONG} --mpi-timeout 3s --restart", of_launcher="-disable-auto-cleanup")
        time.sleep(1)
        kill_rank(tmp_path, rank)
        _, err = process.communicate(timeout=60)
        assert process.returncode != 0
        assert not ranks_of(tmp_path)
        if err:
            break
        (tmp_path / "model.checkpoint.npz").unlink()
    (line,) = errors(err)
    assert line.endswith("; model.checkpoint.npz keeps the training: go on by --resume")
    assert_it_goes_on(corpus_file, tmp_path, after=1)


def kill_rank(folder: Path, rank: int) -> None:
    (pid,) = (pid for pid, number in ranks_of(folder).items() if number == rank)
    os.kill(pid, signal.SIGKILL)


def test_a_signal_to_the_launcher_keeps_the_training_and_saves_the_model(launch, tmp_path):
    process = launch(LONG.replace("-q", ""), ranks=2)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert out == "model.npz\n"
    assert err.count("Interrupted: model.checkpoint.npz keeps the training") == 1
    assert (tmp_path / "model.npz").exists()


def test_ranks_score_and_evaluate_as_one_process_does(shell, mpiexec, model_file, corpus_file):
    for command in (f"score {corpus_file}", f"score - < {corpus_file}", f"evaluate {corpus_file} --format jsonl"):
        alone = shell(f"rnncli {command.replace(' ', f' -m {model_file} ', 1)}")
        together = shell(f"{mpiexec} -n 2 rnncli {command.replace(' ', f' -m {model_file} ', 1)}")
        assert (together.returncode, together.stdout) == (0, alone.stdout), together.stderr
        assert alone.stdout


def test_ranks_without_mpi4py_are_told_how_to_get_it(invoke, corpus_file, tmp_path, monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    result = invoke("train", corpus_file, "-o", tmp_path / "x.npz", "--epochs", 1)
    assert result.exit_code != 0
    assert "2 ranks were started, which need mpi4py" in result.stderr
    assert result.stderr.rstrip().endswith("pip install mpi4py")


def test_without_a_launcher_mpi4py_is_not_imported(shell, corpus_file, tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise SystemExit('imported')")
    run = shell(f"PYTHONPATH={tmp_path} rnncli train {corpus_file} -o {tmp_path}/x.npz {OPTIONS} --epochs 1")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("cell", ["lstm", "elman"])
def test_ranks_go_on_from_the_checkpoint_that_the_first_one_reads(shell, mpiexec, corpus_file, tmp_path, cell):
    train = f"cd {tmp_path}; {mpiexec} -n 2 rnncli train {corpus_file} -o x.npz {OPTIONS} --cell {cell}"
    begun = shell(f"{train} --epochs 1 --keep-checkpoint")
    assert begun.returncode == 0, begun.stderr
    gone_on = shell(f"{train} --epochs 2 --resume")
    assert (gone_on.returncode, gone_on.stderr) == (0, ""), gone_on.stderr
    assert [report["epoch"] for report in rnncli.load(tmp_path / "x.npz").about["history"]] == [1, 2]


def test_a_wrong_command_without_mpi4py_is_told_as_such(invoke, monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    result = invoke("train", "corpus.txt", "--epochs", 0)
    assert result.exit_code == 2
    assert "Invalid value for '--epochs'" in result.stderr


def test_ranks_that_do_not_see_each_other_are_told_once(shell, mpiexec, corpus_file, tmp_path):
    """As with a launcher of another MPI than that of mpi4py, which tells how many it has started."""
    for rank, lines in ((0, 1), (1, 0)):
        strange = f"OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK={rank}"
        run = shell(f"{strange} rnncli train {corpus_file} -o {tmp_path}/x.npz {OPTIONS} --epochs 1")
        assert run.returncode != 0
        assert len(errors(run.stderr)) == lines
    run = shell(f"OMPI_COMM_WORLD_SIZE=2 rnncli evaluate {corpus_file}")
    assert "2 ranks were started, and do not see each other: mpi4py uses another MPI than the launcher" in run.stderr
    assert not (tmp_path / "x.npz").exists()


def test_ranks_with_another_model_are_told(shell, mpiexec, model_file, corpus_file, tmp_path):
    assert shell(f"rnncli compress {model_file} --bits 8 -o {tmp_path}/small.npz").returncode == 0
    evaluate = f"-n 1 rnncli evaluate {corpus_file} -m"
    run = shell(f"{mpiexec} {evaluate} {model_file} : {evaluate} {tmp_path}/small.npz")
    assert run.returncode != 0
    assert len(errors(run.stderr)) == 1
    assert "rank 1 has another model than rank 0" in run.stderr
