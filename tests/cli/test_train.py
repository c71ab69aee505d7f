import itertools
import json
import math
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from rnncli import load
from rnncli.cli.log import logging_to
from rnncli.cli.progress import format_perplexity
from rnncli.lm.cache import Cache
from rnncli.lm.ensemble import networks_of
from rnncli.lm.network import Network
from rnncli.training.trainer import Trainer

TINY = ("--hidden-size", "8", "--epochs", "2", "--bptt", "10")
# Epochs that last long enough for a signal to come before the next report.
LONG = ("--hidden-size", "8", "--epochs", "1000", "--patience", "1000", "--batch-size", "1", "--bptt", "2")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


FEW_WORDS_HINT = "Few words: `rnncli learn` adds them to what a model knows in seconds, --init MODEL in minutes."


def test_train_writes_a_model_named_after_the_corpus_and_prints_its_path_alone(invoke, corpus_file):
    result = invoke("train", corpus_file, *TINY)
    assert result.stdout == "models/school.npz\n"
    assert [p.name for p in Path("models").iterdir()] == ["school.npz"]
    assert len(load("models/school.npz").predict("Tom is", 3)) == 3


def test_progress_is_one_plain_line_for_each_epoch_where_there_is_no_terminal(invoke, corpus_file):
    first, hint, *rest = invoke("train", corpus_file, *TINY).stderr.splitlines()
    assert hint == FEW_WORDS_HINT
    lines = [first, *rest]
    assert len(lines) == 4
    assert (
        lines[0]
        == "Read school.txt, 10 kB: 2,592 words, 25 distinct, 0.0% unknown; 192 lines (lines of different lengths)"
    )
    assert lines[1].startswith("epoch 1/2: train ")
    assert lines[2].startswith("epoch 2/2: train ")
    assert lines[3].startswith("Saved. Validation perplexity ")
    assert invoke("train", corpus_file, *TINY, "--quiet").stderr == ""


def test_few_held_out_words_are_told_of(invoke, corpus_file):
    lines = Path(corpus_file).read_text().splitlines(keepends=True)
    Path("few.txt").write_text("".join(lines[:20]))
    stderr = invoke("train", "few.txt", *TINY).stderr
    told = re.search(r"^Warning: only (\d+) words were held out, which tell little$", stderr, re.MULTILINE)
    assert int(told[1]) == load("models/few.npz").about["tuning"]["words"]


def test_every_option_reaches_the_model(invoke, corpus_file):
    paragraphs = corpus_file.read_text().replace("\n", "\n\n") + "Caf\u00e9.\n"
    Path("all.txt").write_text(paragraphs, encoding="latin-1")
    result = invoke(
        "train", "all.txt", "-o", "all.npz", "--tokenizer", "char", "--lowercase", "--unit", "paragraph", "--encoding",
        "latin-1", "--min-count", 2, "--max-vocab", 20, "--valid-fraction", 0.1, "--cell", "elman",
        "--activation", "relu",
        "--embedding-size", 6, "--hidden-size", 5, "--layers", 2, "--untied", "--dropout", 0.1,
        "--word-dropout", 0.2, "--recurrent-dropout", 0.3, "--batch-size", 3,
        "--bptt", 11, "--optimizer", "sgd", "--lr", 0.5, "--schedule", "step", "--clip", 2, "--weight-decay", 0.001,
        "--softmax", "sampled", "--samples", 7, "--time", "1h30m", "--epochs", 1, "--patience", 2, "--threads", 2,
        "--networks", 2, "--seed", 9, "--ngram-order", 3, "--prune", "--cache", 50, "--accumulate", 2,
        "--local-steps", 3,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    model = load("all.npz")
    assert (model.tokenizer.kind, model.tokenizer.lowercase, model.unit) == ("char", True, "paragraph")
    corpus = model.about["corpus"]
    assert corpus["valid_words"] / (corpus["train_words"] + corpus["valid_words"]) == pytest.approx(0.1, rel=0.1)
    assert len(model.vocabulary) == 20
    assert vars(networks_of(model.lm)[0].config) == {
        "vocabulary_size": 20, "cell": "elman", "activation": "relu", "embedding_size": 6, "hidden_size": 5,
        "layers": 2, "tied": False, "dropout": 0.1, "word_dropout": 0.2, "recurrent_dropout": 0.3,
    }  # fmt: skip
    assert (model.lm.names, model.ngram.order, model.lm.find(Cache).size) == (("network", "ngram", "cache"), 3, 50)
    assert model.about["settings"] == {
        "batch_size": 3, "bptt": 11, "accumulate": 2, "local_steps": 3, "optimizer": "sgd",
        "lr": 0.5, "schedule": "step", "clip": 2,
        "weight_decay": 0.001, "softmax": "sampled", "samples": 7,
        "time": 5400, "epochs": 1, "networks": 2, "patience": 2, "threads": 2, "seed": 9,
        "ngram_order": 3, "prune": True, "cache_size": 50,
    }  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "ten", "10", "10 minutes", "-5s", "0s", "5s5", "1d"])
def test_a_time_is_a_number_and_its_unit(invoke, corpus_file, wrong):
    result = invoke("train", corpus_file, "--time", wrong)
    assert result.exit_code == 2
    assert f"{wrong!r} is no time: write a number and s, m or h, such as 90s, 10m or 1h30m." in result.stderr


def test_a_training_by_the_clock_tells_how_often_the_text_was_read(invoke, corpus_file, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks) * 0.002)  # as fast wherever it runs
    result = invoke("train", corpus_file, "--hidden-size", 8, "--time", "2s", "--patience", 10, "-o", "m.npz")
    assert result.exit_code == 0
    reports = [line for line in result.stderr.splitlines() if line.startswith("epoch ")]
    assert len(reports) == 10
    assert all(re.match(r"epoch [0-9.]+: train [0-9.]+, valid [0-9.]+, ", line) for line in reports)
    assert load("m.npz").about["settings"]["time"] == 2


@pytest.mark.parametrize("option", ["-o", "--log"])
def test_an_empty_name_is_refused(invoke, option):
    result = invoke("train", "missing.txt", option, "")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: Invalid value for '{option}': the name is empty: name a file."


@pytest.mark.parametrize("option", ["-o", "--log"])
def test_a_file_that_may_not_be_read_is_told_to_be_one_that_cannot_be_written(invoke, option, monkeypatch):
    Path("file").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as root, a test may read all
    monkeypatch.setattr("rnncli.storage.atomic.check_kind", refuse)
    result = invoke("train", "missing.txt", option, "file")
    assert result.stderr.splitlines()[-1].startswith("Error: cannot write ")
    assert result.stderr.endswith("file: Permission denied\n")


@pytest.mark.parametrize("option", ["-o", "--log"])
def test_a_missing_folder_is_told_before_the_text_is_read_and_not_made(invoke, tmp_path, option):
    result = invoke("train", "missing.txt", *TINY, option, tmp_path / "no" / "file")
    folder = tmp_path / "no"
    told = f"Error: cannot write {folder / 'file'}: there is no folder {folder}: make it first (mkdir -p {folder})\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)
    assert list(tmp_path.iterdir()) == []


def test_the_log_has_one_json_object_for_each_epoch(invoke, corpus_file):
    invoke("train", corpus_file, *TINY, "--log", "run.jsonl", "--valid", corpus_file)
    records = [json.loads(line) for line in Path("run.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2]
    assert set(records[0]) >= {
        "epoch", "step", "words", "seconds", "words_per_second", "learning_rate", "train_perplexity",
        "valid_perplexity",
    }  # fmt: skip
    assert records[0]["valid_perplexity"] > records[1]["valid_perplexity"] > 1


@pytest.mark.parametrize(
    ("perplexity", "told"), [(79.84, "79.8"), (123456.78, "123456.8"), (1.4e152, "1.4e+152"), (math.inf, "inf")]
)
def test_a_perplexity_takes_few_characters_however_absurd(perplexity, told):
    assert format_perplexity(perplexity) == told


def test_the_same_command_gives_the_same_file(invoke, corpus_file):
    for name in ("a.npz", "b.npz"):
        invoke("train", corpus_file, *TINY, "-o", name)
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()


def test_a_corpus_can_come_through_a_pipe(invoke, corpus_file):
    result = invoke("train", "-", *TINY, input=corpus_file.read_bytes())
    assert result.stdout == "models/stdin.npz\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Error: cannot read corpus.txt: No such file or directory"),
        (b"", "Error: corpus.txt holds no word: training needs a text of at least two, and learns from thousands"),
        (b"\n \n", "Error: corpus.txt holds no word: "),
        (b"word\n", "Error: corpus.txt holds a single word: "),
        (
            b"caf\xe9\n",
            "Error: corpus.txt is not UTF-8 text (byte 0xe9 at offset 3): name its encoding, such as --encoding",
        ),
    ],
)
def test_bad_input_gives_one_line_and_leaves_no_trace(invoke, content, message):
    if content is not None:
        Path("corpus.txt").write_bytes(content)
    before = sorted(Path().iterdir())
    result = invoke("train", "corpus.txt")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("epochs", "told"),
    [
        (2, ("no model came out that ", "training diverged")),  # where numbers become infinite depends on the processor
        (9, ("training diverged, even with a learning rate of 3.1e+36",)),
    ],
)
def test_a_failed_training_leaves_the_old_model_in_place(invoke, corpus_file, epochs, told):
    invoke("train", corpus_file, *TINY)
    old = Path("models/school.npz").read_bytes()
    result = invoke("train", corpus_file, *TINY, "--lr", "1e38", "--epochs", epochs)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(tuple(f"Error: {message}" for message in told))
    assert Path("models/school.npz").read_bytes() == old


def test_a_place_that_cannot_be_written_is_found_before_the_training(invoke, corpus_file):
    Path("file").touch()
    result = invoke("train", corpus_file, "-q", "-o", "file/model.npz")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "cannot write file/model.npz" in result.stderr
    result = invoke("train", corpus_file, "-q", "--log", "file/log")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "cannot write the log file/log" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "corpus.txt"],
        ["-o", "valid.txt", "--valid", "valid.txt"],
        ["--log", "corpus.txt"],
        ["--log", "old.npz", "-o", "old.npz"],
        ["--log", "talk.jsonl"],
    ],
)
def test_what_is_not_ours_is_never_overwritten(invoke, corpus_file, model_file, options):
    for name in ("corpus.txt", "valid.txt"):
        Path(name).write_bytes(corpus_file.read_bytes())
    Path("talk.jsonl").write_text('{"text": "Tom"}\n')
    Path("old.npz").write_bytes(model_file.read_bytes())
    result = invoke("train", "corpus.txt", *TINY, *options)
    assert result.exit_code == 1
    assert "would be overwritten: name another file" in result.stderr
    for name in ("corpus.txt", "valid.txt"):
        assert Path(name).read_bytes() == corpus_file.read_bytes()
    assert Path("old.npz").read_bytes() == model_file.read_bytes()
    assert Path("talk.jsonl").read_text() == '{"text": "Tom"}\n'


@pytest.mark.parametrize(("kind", "log"), [("model", "new.npz"), ("checkpoint", "new.checkpoint.npz")])
def test_a_log_and_a_model_or_its_checkpoint_are_not_one_file(invoke, kind, log):
    result = invoke("train", "missing.txt", *TINY, "--log", log, "-o", "new.npz")
    assert (result.exit_code, result.stderr) == (1, f"Error: the {kind} goes to {log}: name another file with --log\n")
    assert os.listdir() == []


@pytest.fixture
def unread(monkeypatch):
    """Fail where a text is read."""
    monkeypatch.setattr(Trainer, "start", lambda *arguments, **options: pytest.fail("the text is read"))


def test_a_log_that_another_training_writes_is_told_before_the_text_is_read(invoke, corpus_file, unread):
    with logging_to(Path("log.jsonl")):
        result = invoke("train", corpus_file, *TINY, "--log", "log.jsonl")
    told = "Error: another rnncli writes log.jsonl: wait for it, or name another file with --log FILE\n"
    assert (result.exit_code, result.stderr) == (1, told)
    assert os.listdir() == []


def refuse(*arguments, **options):
    raise PermissionError(13, "Permission denied")


def test_a_log_that_cannot_be_written_is_told_before_the_text_is_read(invoke, corpus_file, unread, monkeypatch):
    monkeypatch.setattr("rnncli.storage.locks.open_alone", refuse)  # as root, a test may write everywhere
    result = invoke("train", corpus_file, *TINY, "--log", "log.jsonl")
    assert (result.exit_code, result.stderr) == (1, "Error: cannot write the log log.jsonl: Permission denied\n")


def test_a_folder_that_takes_no_model_is_told_before_the_text_is_read(invoke, corpus_file, unread, monkeypatch):
    monkeypatch.setattr("rnncli.storage.drafts._create", refuse)
    result = invoke("train", corpus_file, *TINY)
    assert (result.exit_code, result.stderr) == (1, "Error: cannot write models/school.npz: Permission denied\n")
    assert os.listdir() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_waiting_for_the_reader_of_a_log_can_be_interrupted(posix, invoke, corpus_file, monkeypatch, number):
    os.mkfifo("pipe")
    plain = os.open

    def open_while_interrupted(path, *arguments):
        if os.fspath(path) == "pipe":
            signal.raise_signal(number)
        return plain(path, *arguments)

    monkeypatch.setattr(os, "open", open_while_interrupted)
    result = invoke("train", corpus_file, *TINY, "--log", "pipe")
    assert (result.exit_code, result.stderr) == (128 + number, "Interrupted.\n")
    assert os.listdir() == ["pipe"]


def test_a_log_takes_the_place_of_an_older_one(invoke, corpus_file):
    for _ in range(2):
        assert invoke("train", corpus_file, *TINY, "--log", "log.jsonl", "-o", "new.npz").exit_code == 0
    assert Path("log.jsonl").read_text().count('{"epoch": 1') == 1


@pytest.mark.parametrize("broken", ["2> {full}", "2> >(head -n 1 > /dev/null)", "2>&-"])
def test_a_standard_error_that_takes_nothing_is_no_reason_to_lose_the_training(
    shell, corpus_file, full_device, tmp_path, broken
):
    words = f"rnncli train {corpus_file} --hidden-size 4 --epochs 3 -o {tmp_path}/a.npz"
    run = shell(f"{words} {broken.format(full=full_device)}")
    assert (run.returncode, run.stdout) == (0, f"{tmp_path}/a.npz\n")
    assert len(load(tmp_path / "a.npz").about["history"]) == 3


def test_a_log_that_cannot_be_written_is_no_reason_to_lose_the_training(invoke, corpus_file, full_device):
    result = invoke("train", corpus_file, *TINY, "--log", full_device)
    assert result.exit_code == 0
    assert f"Warning: cannot write the log {full_device}: No space left on device" in result.stderr
    assert Path("models/school.npz").exists()


def test_a_log_is_written_anew_by_its_first_report(invoke, corpus_file):
    invoke("train", corpus_file, *TINY, "--log", "run.jsonl")
    old = Path("run.jsonl").read_text()
    invoke("train", corpus_file, *TINY, "--seed", 2, "--log", "run.jsonl")
    records = [json.loads(line) for line in Path("run.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2]
    assert Path("run.jsonl").read_text() != old


@pytest.fixture
def watched(posix, invoke, corpus_file, monkeypatch):
    """Run a training, and what `watch` does meanwhile in a thread of its own, at moments that a pipe tells it.

    `watch(reports)` begins when the training does. It is handed the reports as they come: they end when no more steps
    are taken, before the model is measured and saved.
    """

    begun = threading.Event()
    steps = Trainer.run

    def begin(trainer):
        begun.set()
        yield from steps(trainer)

    monkeypatch.setattr(Trainer, "run", begin)

    def run(watch, *options):
        os.mkfifo("reports")

        def follow():
            with open("reports", encoding="utf-8") as reports:
                begun.wait(60)
                watch(reports)
                for _ in reports:
                    pass  # whoever writes must not wait

        thread = threading.Thread(target=follow)
        thread.start()
        result = invoke("train", corpus_file, *options, "--log", "reports")
        thread.join(60)
        os.remove("reports")
        return result

    return run


def press(number: int = signal.SIGINT) -> None:
    """As if Ctrl-C were pressed, or another signal came from outside."""
    os.kill(os.getpid(), number)


def test_a_training_that_is_interrupted_before_its_first_report_saves_a_model(watched):
    result = watched(lambda reports: press(), *LONG)
    assert (result.exit_code, result.stdout) == (130, "models/school.npz\n")
    told = "Interrupted: models/school.checkpoint.npz keeps the training; --resume goes on."
    assert told in result.stderr.splitlines()
    assert load("models/school.npz").about["history"] == []
    assert load("models/school.npz").predict("Tom", 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupted_training_saves_the_best_model_so_far(watched):
    def watch(reports):
        for _ in range(2):
            reports.readline()
        press()

    result = watched(watch, *LONG, "--bptt", "10")
    assert (result.exit_code, result.stdout) == (130, "models/school.npz\n")
    assert load("models/school.npz").about["history"][-1]["epoch"] == 2


def test_an_interrupted_training_keeps_the_model_whose_networks_are_still_to_be_trained(watched, invoke, corpus_file):
    assert invoke("train", corpus_file, *TINY, "--networks", "2").exit_code == 0
    begun_with = Path("models/school.npz").read_bytes()

    def watch(reports):
        reports.readline()
        press()

    result = watched(watch, *LONG[2:], "--init", "models/school.npz")
    assert (result.exit_code, result.stdout) == (130, "")
    assert "Networks of models/school.npz are still to be trained: it stays as it was." in result.stderr
    assert Path("models/school.npz").read_bytes() == begun_with
    resumed = invoke("train", corpus_file, "--init", "models/school.npz", "--resume", "--epochs", "2")
    assert (resumed.exit_code, resumed.stdout) == (0, "models/school.npz\n")
    assert Path("models/school.npz").read_bytes() != begun_with


def test_a_training_that_is_told_to_end_saves_the_best_model_so_far(watched):
    before = signal.getsignal(signal.SIGTERM)
    result = watched(lambda reports: press(signal.SIGTERM), *LONG)
    assert (result.exit_code, result.stdout) == (128 + signal.SIGTERM, "models/school.npz\n")
    assert load("models/school.npz").predict("Tom", 1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_before_the_first_report_leaves_an_old_model_and_an_old_log(invoke, terminal, corpus_file):
    invoke("train", corpus_file, *TINY, "--log", "run.jsonl")
    model, log = Path("models/school.npz"), Path("run.jsonl")
    old = (model.read_bytes(), log.read_bytes())
    command = f"rnncli train {corpus_file} {' '.join(LONG)} --log run.jsonl"
    shown, status = terminal(command, columns=100, keys=b"\x03", after=b"epoch 1")
    assert status == 130
    assert "Interrupted before the first report: models/school.npz stays as it was." in shown
    assert (model.read_bytes(), log.read_bytes()) == old


def test_a_key_that_is_pressed_twice_by_mistake_is_pressed_once(watched):
    def watch(reports):
        press()
        press(signal.SIGTERM)  # not the same again: of two that come at once the system drops one
        reports.read()

    result = watched(watch, *LONG)
    assert result.exit_code in (128 + signal.SIGINT, 128 + signal.SIGTERM)  # either may be heard first
    assert result.stdout == "models/school.npz\n"


@pytest.fixture
def at_the_end(monkeypatch):
    """Call a function when a training that was interrupted is measured."""

    def at_the_end(act):
        measure = Trainer.measure

        def act_and_measure(trainer):
            if Path("models/school.checkpoint.npz").exists():
                act()
            return measure(trainer)

        monkeypatch.setattr(Trainer, "measure", act_and_measure)

    return at_the_end


def test_a_second_ctrl_c_soon_after_the_first_is_a_mistake(watched, at_the_end):
    at_the_end(press)
    result = watched(lambda reports: press(), *LONG)
    assert (result.exit_code, result.stdout) == (130, "models/school.npz\n")


def test_a_second_ctrl_c_later_saves_the_checkpoint_alone(watched, at_the_end, monkeypatch):
    now, later = time.monotonic, 0.0
    monkeypatch.setattr("time.monotonic", lambda: now() + later)

    def press_later():
        nonlocal later
        later = 10.0
        press()

    at_the_end(press_later)
    result = watched(lambda reports: press(), *LONG)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.endswith("Interrupted.\n")
    assert list(Path("models").iterdir()) == [Path("models/school.checkpoint.npz")]


def test_a_third_ctrl_c_is_always_heard(watched, at_the_end):
    def press_twice():
        press(signal.SIGTERM)
        press()

    at_the_end(press_twice)
    result = watched(lambda reports: press(), *LONG)
    assert (result.exit_code, result.stdout) == (130, "")
    assert not Path("models/school.npz").exists()


@pytest.fixture
def while_saving(monkeypatch):
    """Call a function when a training that is over makes its model."""

    def while_saving(act):
        best = Trainer.best

        def act_and_make(trainer):
            act()
            return best(trainer)

        monkeypatch.setattr(Trainer, "best", act_and_make)

    return while_saving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_over_when_it_is_told_to_stop_succeeds(watched, while_saving, corpus_file, number):
    while_saving(lambda: press(number))
    result = watched(lambda reports: None, *TINY, "--valid", corpus_file, "--checkpoint-every", "0.001s")
    assert (result.exit_code, result.stdout) == (0, "models/school.npz\n")
    assert os.listdir("models") == ["school.npz"]  # there is nothing to resume
    assert [report["epoch"] for report in load("models/school.npz").about["history"]] == [1, 2]


def test_ctrl_c_a_second_after_the_last_step_keeps_the_training_and_ends_at_once(
    watched, while_saving, invoke, corpus_file, monkeypatch
):
    now, later = time.monotonic, 0.0
    monkeypatch.setattr("time.monotonic", lambda: now() + later)

    def press_later():
        nonlocal later
        if not later:
            later = 10.0
            press()

    while_saving(press_later)
    result = watched(lambda reports: None, *TINY)
    assert (result.exit_code, result.stdout) == (130, "")
    told = "Interrupted: models/school.checkpoint.npz keeps the training; --resume saves its model."
    assert result.stderr.splitlines()[-2:] == [told, "Interrupted."]
    assert invoke("train", corpus_file, "--resume").exit_code == 0
    assert os.listdir("models") == ["school.npz"]
    assert [report["epoch"] for report in load("models/school.npz").about["history"]] == [1, 2]


@pytest.fixture
def spoil():
    """Put a file in the place of the folder of models, while a training runs."""

    def spoil(reports):
        reports.readline()
        shutil.rmtree("models")
        Path("models").touch()

    return spoil


def test_a_model_that_cannot_be_written_in_the_end_is_kept_elsewhere(watched, spoil, monkeypatch, tmp_path):
    fallback = tmp_path / "refuge"
    fallback.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(fallback))
    result = watched(spoil, *TINY)
    (kept,) = fallback.iterdir()
    assert (result.exit_code, result.stdout) == (1, "")
    told = f"Error: cannot write models/school.npz: File exists. The model is in {kept} instead: move it to where it"
    assert result.stderr.splitlines()[-1] == f"{told} shall stay"
    assert load(kept).predict("Tom", 1)


def test_a_model_that_can_be_written_nowhere_is_told_with_every_place(watched, spoil, monkeypatch, tmp_path):
    monkeypatch.setattr("rnncli.storage.fallback.PLACES", [lambda: Path("/dev/null")])
    result = watched(spoil, *TINY)
    assert (result.exit_code, result.stdout) == (1, "")
    told = result.stderr.splitlines()[-1]
    assert told.startswith("Error: cannot write models/school.npz: ")
    assert "cannot write /dev/null/rnncli-" in told


@pytest.mark.parametrize(
    "wrong",
    [
        ["--cell", "rnn"], ["--dropout", "1"], ["--lr", "0"], ["--epochs", "0"], ["--clip", "-1"], ["--seed", "x"],
        ["--valid-fraction", "1"], ["--tokenizer", "bpe"], ["--optimizer", "lion"], ["--layers", "0"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(invoke, corpus_file, wrong):
    result = invoke("train", corpus_file, *wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Invalid value for '{wrong[0]}'" in result.stderr


def test_settings_that_do_not_go_together_are_wrong_usage(invoke, corpus_file):
    result = invoke("train", corpus_file, "--activation", "relu")
    assert result.exit_code == 2
    assert "Error: --activation relu is for the elman cell; lstm has its own" in result.stderr


def test_a_training_goes_on_from_a_model(invoke, corpus_file, model_file):
    before = model_file.read_bytes()
    result = invoke("train", corpus_file, "--init", model_file, "--epochs", 1, "-o", "tuned.npz")
    assert (result.exit_code, result.stdout) == (0, "tuned.npz\n")
    assert load("tuned.npz").lm.find(Network).config.hidden_size == 32
    assert model_file.read_bytes() == before


@pytest.mark.parametrize(("option", "value"), [("--hidden-size", 16), ("--tokenizer", "char"), ("--untied", None)])
def test_what_the_model_has_decided_is_not_asked_again(invoke, corpus_file, model_file, option, value):
    result = invoke("train", corpus_file, "--init", model_file, option, *([value] if value else []))
    assert result.exit_code == 2
    named = "--tied/--untied" if option == "--untied" else option
    assert result.stderr.endswith(f"Error: {named} does not go with --init: the model has its own\n")


def test_a_model_to_go_on_from_that_cannot_be_read_is_named(invoke, corpus_file):
    result = invoke("train", corpus_file, "--init", "missing.npz")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "missing.npz" in result.stderr


@pytest.fixture
def large(monkeypatch):
    """Every text counts as large, and there is time to count the n-grams of little."""
    from rnncli.text.columns import Store
    from rnncli.training import budget, texts

    monkeypatch.setattr(texts, "MIN_SOURCE_BYTES", 1)
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "max_in_memory", 0)
    monkeypatch.setattr(budget, "MAX_COUNTED_WORDS", 1000)


def test_a_large_text_is_kept_in_the_cache_folder_and_taken_from_there(invoke, corpus_file, large):
    told = invoke("train", corpus_file, *TINY, "--cache-dir", "cache").stderr.splitlines()
    (entry,) = Path("cache").iterdir()
    assert re.fullmatch(rf"Kept in {entry}, [0-9.]+ kB\.", told[1])
    assert told[2] == "n-grams are counted in 1,000 of the 2,634 words, from all over the text."
    first = Path("models/school.npz").read_bytes()
    told = invoke("train", corpus_file, *TINY, "--cache-dir", "cache").stderr.splitlines()
    assert told[1].startswith(f"Taken from {entry}, ")
    assert Path("models/school.npz").read_bytes() == first
    assert load("models/school.npz").about["corpus"]["counted_words"] == 1000
    assert "counted_words\t1000\n" in invoke("info", "-m", "models/school.npz").stdout


def test_it_is_told_if_there_was_time_for_few_steps(invoke, corpus_file, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks) * 1.0)
    result = invoke("train", corpus_file, "--hidden-size", 8, "--time", "60s", "-o", "m.npz")
    told = r"^Warning: the time was up after \d+ steps, which teach little: give it more --time, or less text$"
    assert re.search(told, result.stderr, re.MULTILINE)


@pytest.mark.parametrize("options", [["--init", "{model}"], ["--hidden-size", 8, "--tokenizer", "char"], ["--quiet"]])
def test_few_words_are_no_reason_for_a_hint_where_it_is_of_no_use(invoke, corpus_file, model_file, options):
    options = [str(option).format(model=model_file) for option in options]
    result = invoke("train", corpus_file, "--epochs", 1, *options)
    assert result.exit_code == 0, result.stderr
    assert "Few words" not in result.stderr
