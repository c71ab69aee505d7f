"""The installed command, as a shell and a terminal see it."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest


def test_from_a_text_file_to_the_next_word(shell, corpus_file, tmp_path):
    train = shell(
        f"rnncli train {corpus_file} --hidden-size 32 --epochs 30 --patience 30 --lr 0.02 --dropout 0 --bptt 26"
        " --batch-size 2",
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


def test_python_m_rnncli_is_the_same_program(shell, model_file):
    run = subprocess.run(
        [sys.executable, "-m", "rnncli", "predict", "Tom", "-m", model_file], capture_output=True, text=True
    )
    assert run.stdout == shell(f"rnncli predict Tom -m {model_file}").stdout
    assert "Usage: rnncli " in subprocess.check_output([sys.executable, "-m", "rnncli", "--help"], text=True)


@pytest.mark.parametrize("command", ["predict -n 3 --format tsv", "score --format table"])
def test_a_pipe_into_head_ends_quietly(shell, model_file, command):
    run = shell(
        f"seq 10000 | sed 's/.*/so he will/' | rnncli {command} -m {model_file} | head -2; echo ${{PIPESTATUS[2]}}"
    )
    *lines, status = run.stdout.splitlines()
    assert (len(lines), status) == (2, "141")  # not all was written
    assert run.stderr == ""


def test_a_table_is_whole_in_a_pipe_also_where_colours_are_forced(shell, model_file):
    line = "so he will " * 1000
    run = shell(f"echo '{line}' | FORCE_COLOR=1 rnncli score --format table -m {model_file} | tail -n 1")
    assert run.stdout.rstrip("\n").endswith(line)


def test_json_is_valid_where_the_output_cannot_show_a_letter(shell, model_file):
    run = shell(f"PYTHONIOENCODING=latin-1 PYTHONUTF8=0 rnncli predict '😀 is' --format jsonl -m {model_file}")
    assert json.loads(run.stdout)["prompt"] == "😀 is"


def test_each_prompt_of_a_co_process_is_answered_at_once(start, model_file):
    process = start("predict", "-n", 1, "--format", "jsonl", "-m", model_file)
    for prompt in ("Tom is", "", "Mary is not"):
        process.stdin.write(prompt + "\n")
        assert json.loads(process.stdout.readline())["prompt"] == prompt
    process.stdin.close()
    assert process.wait(60) == 0


@pytest.mark.usefixtures("posix")
def test_ctrl_c_saves_the_best_model_and_ends_with_130(start, shell, corpus_file, tmp_path):
    process = start("train", corpus_file, "--hidden-size", 8, "--epochs", 100_000, "--patience", 100_000)
    assert process.stderr.readline().startswith("Read school.txt, ")
    assert process.stderr.readline().startswith("Few words: ")
    assert process.stderr.readline().startswith("epoch 1/")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "models/school.npz\n")
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert shell("rnncli predict Tom -n 1", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null >&-"])
def test_closed_streams_are_no_reason_for_a_traceback(shell, model_file, redirection):
    run = shell(f"rnncli predict -n 1 -m {model_file} {redirection}")
    assert "Traceback" not in run.stderr
    assert run.returncode in (0, 1)


@pytest.mark.parametrize("command", ["predict Tom -m {model}", "--help"])
def test_a_full_disk_is_told_in_one_line(shell, full_device, model_file, command):
    run = shell(f"rnncli {command.format(model=model_file)} > {full_device}")
    assert (run.returncode, run.stderr) == (1, "Error: cannot write: No space left on device\n")


def test_on_a_terminal_a_table_is_drawn_with_colour_unless_none_is_wanted(terminal, model_file):
    command = f"rnncli predict 'Tom is' -n 2 -m {model_file}"
    coloured, status = terminal(command)
    assert status == 0
    assert "rank" in coloured
    assert "\x1b[36m" in coloured
    plain, _ = terminal(f"NO_COLOR=1 {command}")
    assert "\x1b[3" not in plain


@pytest.mark.parametrize("columns", [60, 100])
def test_tables_and_the_live_display_fit_the_terminal(terminal, model_file, corpus_file, tmp_path, columns):
    shown = terminal(f"rnncli predict 'Tom is' -m {model_file}", columns)[0]
    shown += terminal(f"rnncli info -m {model_file}", columns)[0]
    shown += terminal(f"rnncli evaluate {corpus_file} -m {model_file}", columns)[0]
    progress, status = terminal(f"rnncli train {corpus_file} --hidden-size 8 --epochs 3 -o {tmp_path}/m.npz", columns)
    assert status == 0
    assert "bits per character" in shown
    assert re.search(r"epoch 3/3: train [0-9.]+, valid [0-9.]+, [0-9,]+ words/s, 0:0\d\n", progress)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown + progress).replace("\r", "\n").split("\n")
    paths_aside = [line for line in lines if "/m.npz" not in line]
    assert max(map(len, paths_aside)) <= columns


def test_prompts_can_be_typed_at_a_terminal(terminal, model_file):
    shown, status = terminal(f"rnncli predict -n 1 -m {model_file}", keys=b"Tom is\n\x04")
    assert status == 0
    assert "Type a prompt, then Enter; Ctrl-D ends." in shown
    assert "probability" in shown


def test_text_is_shown_word_by_word_as_it_is_written(start, model_file):
    process = start("generate", "Tom", "-n", 100_000, "-m", model_file)
    first = os.read(process.stdout.fileno(), 8192)
    assert first.startswith(b"Tom")
    assert len(first) < 1000  # not a whole block


def test_answers_and_errors_stand_in_the_order_of_their_lines(shell, model_file):
    prompts = "Tom is\\na ___ b ___\\nMary is\\nzzz\\n"
    run = shell(f"printf '{prompts}' | rnncli predict -n 1 --format jsonl -m {model_file} 2>&1")
    begins = [line[:16] for line in run.stdout.splitlines()]
    asked = ['{"prompt": "Tom ', '{"prompt": "a __', '{"prompt": "Mary', '{"prompt": "zzz"']
    assert begins == [asked[0], "Error: standard ", asked[1], asked[2], "Warning: not in ", asked[3]]


def test_a_narrow_encoding_of_the_terminal_is_no_reason_to_stop(shell, model_file):
    run = shell(f"PYTHONIOENCODING=ascii rnncli predict 'Tom é' -n 1 --format table -m {model_file}")
    assert run.returncode == 0
    assert run.stdout.split()[-1] == "#" * 20


@pytest.mark.usefixtures("posix")
def test_ctrl_c_does_not_wait_for_the_threads_at_work(start):
    process = start("predict", "--explain", "-m", "bundled")
    process.stdin.write("Tom is\n" + "the boy is here . " * 4000 + "\n")
    process.stdout.readline()  # the answer to the first: now it is at work on the second
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130  # to the end it would take many minutes
