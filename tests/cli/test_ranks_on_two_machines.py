"""Two ranks with a network between them."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path

import pytest

import rnncli

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import links

OPTIONS = "--hidden-size 32 --batch-size 12 --bptt 5 --samples 20 --threads 1 --seed 3 -q"


@pytest.fixture
def link(posix, tmp_path):
    """Two machines on this one."""
    pytest.importorskip("mpi4py")
    if not links.can_be_made() or not shutil.which("mpiexec", path=sysconfig.get_path("scripts")):
        pytest.skip("needs mpiexec, and root to make namespaces")
    with links.Link(tmp_path) as made:
        yield made


def command(link, corpus: Path, folder: Path, options: str) -> list[str]:
    scripts = Path(sysconfig.get_path("scripts"))
    train = [scripts / "rnncli", "train", corpus, "-o", folder / "model.npz", *options.split()]
    return [*link.command(scripts / "mpiexec"), *map(str, train)]


def test_the_gradients_go_over_the_link_and_the_model_is_that_of_one_machine(
    link, shell, corpus_file, environment, tmp_path
):
    run = command(link, corpus_file, tmp_path, f"{OPTIONS} --epochs 2")
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'model.npz'}\n", "")
    model = rnncli.load(tmp_path / "model.npz")
    steps = model.about["history"][-1]["step"]
    recurrent_weights = 32 * 4 * 32
    assert link.sent_bytes() > steps * 4 * recurrent_weights
    scripts = sysconfig.get_path("scripts")
    here = shell(f"{scripts}/mpiexec -n 2 rnncli train {corpus_file} -o {tmp_path}/here.npz {OPTIONS} --epochs 2")
    assert here.returncode == 0
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_when_the_link_is_cut_both_ranks_end_in_time_and_the_training_goes_on(link, corpus_file, environment, tmp_path):
    run = command(link, corpus_file, tmp_path, f"{OPTIONS} --epochs 100000 --patience 100000 --mpi-timeout 3s")
    with subprocess.Popen(run, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        checkpoint = tmp_path / "model.checkpoint.npz"
        deadline = time.monotonic() + 60
        while not checkpoint.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        link.set_up(False)
        cut = time.monotonic()
        try:
            while processes(tmp_path):
                assert time.monotonic() < cut + 30
                time.sleep(0.1)
        finally:
            for pid in processes(tmp_path):
                os.kill(pid, 9)
            process.kill()
        _, err = process.communicate()
    assert re.search(r"was not heard of for \d seconds; ", err)
    training = rnncli.start_training(corpus_file, resume=checkpoint)
    before = training.state.step
    assert before > 0
    next(training.run())
    assert training.state.step == before + 1


def processes(folder: Path) -> list[int]:
    """Find the processes that train in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = entry.joinpath("cmdline").read_bytes().split(b"\0")
            if b"train" in words and f"{folder}/model.npz".encode() in words and b"python" in words[0]:
                found.append(int(entry.name))
    return found
