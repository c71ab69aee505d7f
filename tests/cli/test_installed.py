"""The installed command, as a shell and a terminal see it."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

# Where pip puts commands: among the interpreter's own, or beside the packages with --target.
FOLDERS = [sysconfig.get_path("scripts"), str(distribution("rnncli").locate_file("bin"))]
RNNCLI = shutil.which("rnncli", path=os.pathsep.join(FOLDERS))


def shell(command: str, **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": f"{Path(RNNCLI).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, **options
    )


def terminal(arguments: list[str], columns: int = 80, keys: bytes = b"", **environment: str) -> tuple[str, int]:
    """Run rnncli in a pseudo-terminal; what it shows, and its exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.pop("NO_COLOR", None)
        os.environ.update(environment, COLUMNS=str(columns), TERM="xterm-256color")
        os.execv(RNNCLI, [RNNCLI, *arguments])
    if keys:
        os.write(fd, keys)
    shown = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
        if not data:
            break
        shown += data
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return shown.decode(), os.waitstatus_to_exitcode(status)


def test_from_a_text_file_to_the_next_word(corpus_file, tmp_path):
    train = shell(
        f"rnncli train {corpus_file} --hidden-size 32 --epochs 60 --patience 60 --lr 0.02 --dropout 0 --bptt 13"
        " --batch-size 4",
        cwd=tmp_path,
    )
    assert (train.returncode, train.stdout) == (0, "models/school.npz\n")
    predict = shell('rnncli predict "Tom is not good at science, so he will" -n 1', cwd=tmp_path)
    assert predict.stdout.split("\t")[0] == "study"
    assert predict.stderr == "Model: models/school.npz\n"
    generate = shell('rnncli generate "Tom is not good at science, so he" -n 3 --temperature 0', cwd=tmp_path)
    assert generate.stdout == "Tom is not good at science, so he will study more\n"
    evaluate = shell(f"rnncli evaluate {corpus_file} --format jsonl", cwd=tmp_path)
    assert json.loads(evaluate.stdout)["perplexity"] < 2
    assert "cell\tlstm\n" in shell("rnncli info", cwd=tmp_path).stdout


def test_python_m_rnncli_is_the_same_program(model_file):
    run = subprocess.run(
        [sys.executable, "-m", "rnncli", "predict", "Tom", "-m", model_file], capture_output=True, text=True
    )
    assert run.stdout == shell(f"rnncli predict Tom -m {model_file}").stdout
    assert "Usage: rnncli " in subprocess.check_output([sys.executable, "-m", "rnncli", "--help"], text=True)


def test_a_pipe_into_head_ends_quietly(model_file):
    run = shell(
        f"seq 1000 | sed 's/.*/so he will/' | rnncli predict -n 3 --format tsv -m {model_file} | head -2;"
        " echo ${PIPESTATUS[3]}"
    )
    assert run.stdout.splitlines()[2] == "0"
    assert run.stdout.count("\t") == 2
    assert run.stderr == ""


def test_each_prompt_of_a_co_process_is_answered_at_once(model_file):
    with subprocess.Popen(
        [RNNCLI, "predict", "-n", "1", "--format", "jsonl", "-m", model_file],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as process:  # fmt: skip
        for prompt in ("Tom is", "", "Mary is not"):
            process.stdin.write(prompt + "\n")
            assert select.select([process.stdout], [], [], 60)[0]
            assert json.loads(process.stdout.readline())["prompt"] == prompt
        process.stdin.close()
    assert process.returncode == 0


def test_ctrl_c_saves_the_best_model_and_ends_with_130(corpus_file, tmp_path):
    with subprocess.Popen(
        [RNNCLI, "train", corpus_file, "--hidden-size", "8", "--epochs", "100000", "--patience", "100000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stderr.readline().startswith("epoch 1/")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "models/school.npz\n"
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert shell("rnncli predict Tom -n 1", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null >&-"])
def test_closed_streams_are_no_reason_for_a_traceback(model_file, redirection):
    run = shell(f"rnncli predict -n 1 -m {model_file} {redirection}")
    assert "Traceback" not in run.stderr
    assert run.returncode in (0, 1)


def test_a_full_disk_is_told_in_one_line(model_file):
    run = shell(f"rnncli predict Tom -m {model_file} > /dev/full")
    assert run.returncode == 1
    assert run.stderr == "Error: cannot write: No space left on device\n"


def test_on_a_terminal_a_table_is_drawn_with_colour_unless_none_is_wanted(model_file):
    arguments = ["predict", "Tom is", "-n", "2", "-m", str(model_file)]
    coloured, status = terminal(arguments)
    assert status == 0
    assert "rank" in coloured
    assert "\x1b[36m" in coloured
    plain, _ = terminal(arguments, NO_COLOR="1")
    assert "\x1b[3" not in plain


@pytest.mark.parametrize("columns", [60, 100])
def test_tables_and_the_live_display_fit_the_terminal(model_file, corpus_file, tmp_path, columns):
    shown = terminal(["predict", "Tom is", "-m", str(model_file)], columns)[0]
    shown += terminal(["info", "-m", str(model_file)], columns)[0]
    shown += terminal(["evaluate", str(corpus_file), "-m", str(model_file)], columns)[0]
    progress, status = terminal(
        ["train", str(corpus_file), "--hidden-size", "8", "--epochs", "3", "-o", str(tmp_path / "m.npz")], columns
    )
    assert status == 0
    assert "bits per character" in shown
    assert re.search(r"epoch 3/3: train [0-9.]+, valid [0-9.]+, [0-9,]+ words/s, 0:0\d\r\n", progress)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown + progress).replace("\r", "\n").split("\n")
    paths_aside = [line for line in lines if "/m.npz" not in line]
    assert max(map(len, paths_aside)) <= columns


def test_prompts_can_be_typed_at_a_terminal(model_file):
    shown, status = terminal(["predict", "-n", "1", "-m", str(model_file)], keys=b"Tom is\n\x04")
    assert status == 0
    assert "Type a prompt, then Enter; Ctrl-D ends." in shown
    assert "probability" in shown


def test_text_is_written_word_by_word_on_a_terminal(model_file):
    shown, status = terminal(["generate", "Tom", "-n", "3", "--temperature", "0", "-m", str(model_file)])
    assert status == 0
    assert shown.startswith("Tom is")


def test_a_narrow_encoding_of_the_terminal_is_no_reason_to_stop(model_file):
    run = shell(f"PYTHONIOENCODING=ascii rnncli predict 'Tom é' -n 1 --format table -m {model_file}")
    assert run.returncode == 0
    assert run.stdout.split()[-1] == "#" * 20
