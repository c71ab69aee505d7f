import json
import math
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

import rnncli
from rnncli import save, train
from rnncli.cli.tables import bar, format_probability
from rnncli.tasks.predict import predict_all
from rnncli.text.reserved import EOS


def test_tsv_is_word_tab_probability_best_first_with_a_blank_line_between_prompts(invoke, model, model_file):
    result = invoke("predict", "Tom is", "Mary is", "-n", "2", "-m", model_file)
    rankings = predict_all(model, ["Tom is", "Mary is"], 2)  # together, as one at a time may round in another way
    expected = ["".join(f"{word}\t{p:.6g}\n" for word, p in ranking.predictions) for ranking in rankings]
    assert result.stdout == "\n".join(expected)
    assert result.stderr == ""
    assert result.exit_code == 0


def test_json_lines_carry_one_object_for_each_prompt(invoke, model, model_file):
    result = invoke("predict", "Tom is", "Bogus café", "-n", "1", "--format", "jsonl", "-m", model_file)
    first, second = map(json.loads, result.stdout.splitlines())
    (word, p), *_ = model.predict("Tom is", 1)
    assert first == {
        "prompt": "Tom is",
        "predictions": [{"word": word, "probability": pytest.approx(p)}],
        "unknown_words": [],
    }
    assert second["prompt"] == "Bogus café"
    assert second["unknown_words"] == ["Bogus", "café"]
    assert result.stderr == "Warning: not in the model's vocabulary: Bogus, café\n"


SENTENCE = "Tom is not good at science, so he will"


@pytest.fixture
def copied_package(tmp_path) -> Path:
    """A folder with a copy of the package, and no model."""
    folder = tmp_path / "source"
    shutil.copytree(Path(rnncli.__file__).parent, folder / "rnncli", ignore=shutil.ignore_patterns("models"))
    return folder


def test_the_table_shows_rank_word_probability_and_a_bar(invoke, model, model_file):
    result = invoke("predict", "Tom is not good at science, so he will", "-n2", "--format=table", "-m", model_file)
    (best, p), (second, q) = model.predict("Tom is not good at science, so he will", 2)
    header, first_line, second_line = (line.split() for line in result.stdout.splitlines())
    assert header == ["rank", "word", "probability"]
    assert first_line == ["1", best, f"{p:.4f}", "█" * 20]
    assert second_line[:3] == ["2", second, f"{q:.4f}"]


def test_a_table_fills_a_terminal_no_further_than_it_must(terminal, model, model_file):
    (best, p), (second, q) = model.predict("Tom is", 2)
    shown, status = terminal(f"rnncli predict 'Tom is' 'Tom is' -n 2 -m {model_file}", columns=60)
    table = (
        "Tom is\nrank  word  probability                      \n"
        f"   1  {best:<4}       {p:.4f}  {'█' * 20}\n   2  {second:<4}       {q:.4f}  {bar(q / p):<20}\n"
    )
    assert (re.sub("\x1b\\[[0-9;]*m", "", shown), status) == (f"{table}\n{table}", 0)


def test_several_tables_are_headed_by_their_prompts(invoke, model_file):
    result = invoke("predict", "Tom [bold]", "Mary", "-n1", "--format=table", "-m", model_file)
    lines = result.stdout.splitlines()
    assert (lines[0], lines[3], lines[4]) == ("Tom [bold]", "", "Mary")


def test_all_words_are_printed_for_zero_and_the_probabilities_sum_to_one(invoke, model, model_file):
    result = invoke("predict", "Tom is", "-n", "0", "-m", model_file)
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert {word for word, _ in rows} == set(model.vocabulary.words) - {"<unk>"}
    assert math.fsum(float(p) for _, p in rows) == pytest.approx(1, abs=1e-5)


def test_prompts_come_from_standard_input_in_order_when_none_is_given(invoke, model_file):
    given = invoke("predict", "Tom is", "", "Mary is", "-n", "2", "-m", model_file)
    piped = invoke("predict", "-n", "2", "-m", model_file, input="Tom is\n\r\nMary is")
    rows, expected = ([line.split("\t") for line in run.stdout.splitlines()] for run in (piped, given))
    assert [row[0] for row in rows] == [row[0] for row in expected]
    probabilities = [float(row[1]) for row in expected if row[1:]]
    assert len(probabilities) == 6
    assert [float(row[1]) for row in rows if row[1:]] == pytest.approx(probabilities, rel=1e-5)
    assert invoke("predict", "-m", model_file, input="").stdout == ""


def test_a_prompt_in_another_encoding_does_not_keep_the_others_from_their_answer(invoke, model_file):
    prompts = b"Tom is\ncaf\xe9\nTom is\n"
    result = invoke("predict", "-n1", "--format=jsonl", "-m", model_file, input=prompts)
    one, wrong, other = map(json.loads, result.stdout.splitlines())
    assert one == other
    assert wrong["error"] == "this is in another encoding: name it with --encoding, such as --encoding latin-1"
    assert result.stderr == f"Error: standard input, line 2: {wrong['error']}\n"
    assert result.exit_code == 1
    told = invoke("predict", "-n1", "-m", model_file, "--encoding", "latin-1", input=prompts)
    assert told.exit_code == 0
    assert told.stderr == "Warning: not in the model's vocabulary: café\n"


def test_the_model_is_named_or_found(shell, model_file, tmp_path):
    content = model_file.read_bytes()
    (tmp_path / "models").mkdir()
    for age, name in enumerate(["new.npz", "old.npz"]):
        (tmp_path / "models" / name).write_bytes(content)
        os.utime(tmp_path / "models" / name, (1e9 - age, 1e9 - age))
    (tmp_path / "models" / "new.checkpoint.npz").write_bytes(b"PK, newer, but no model")
    found = shell("rnncli predict Tom -n 1", cwd=tmp_path)
    assert found.stderr == "Model: models/new.npz\n"
    by_variable = shell("RNNCLI_MODEL=models/old.npz rnncli predict Tom -n 1", cwd=tmp_path)
    assert by_variable.stderr == "Model: models/old.npz\n"
    missing = shell("RNNCLI_MODEL=none.npz rnncli predict Tom", cwd=tmp_path)
    assert "none.npz: No such file" in missing.stderr
    named = shell("RNNCLI_MODEL=none.npz rnncli predict Tom -n 1 --model models/old.npz", cwd=tmp_path)
    assert (named.stdout, named.stderr) == (found.stdout, "")


def test_the_bundled_model_is_used_where_there_is_no_other(shell, tmp_path):
    result = shell("rnncli predict 'Tom is not good at science, so he will' -n 5", cwd=tmp_path)
    assert result.stderr == "Model: the bundled English one\n"
    words = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert len(set(words)) == 5
    assert "be" in words


def test_the_bundled_model_can_be_named_where_there_are_others(shell, model_file, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.npz").write_bytes(model_file.read_bytes())
    found = shell(f"rnncli predict '{SENTENCE}' -n 1 -m bundled", cwd=tmp_path)
    assert (found.stdout.split("\t")[0], found.stderr) == ("be", "")
    by_variable = shell("RNNCLI_MODEL=bundled rnncli predict Tom -n 1", cwd=tmp_path)
    assert by_variable.stderr == "Model: the bundled English one\n"


def test_the_source_tree_s_own_model_is_the_bundled_one(copied_package, shell, model_file):
    (copied_package / "models").mkdir()
    shutil.copy(model_file, copied_package / "models" / "english.npz")
    result = shell(f"{sys.executable} -m rnncli predict Tom -n 1", cwd=copied_package)
    assert result.stderr == "Model: the bundled English one\n"


def test_without_any_model_the_remedy_is_named(copied_package, shell):
    result = shell(f"{sys.executable} -m rnncli predict Tom", cwd=copied_package)
    assert (result.returncode, result.stdout) == (1, "")
    remedy = "train one with `rnncli train corpus.txt`, or name one with --model"
    assert result.stderr == f"Error: there is no model yet: {remedy}\n"
    named = shell(f"{sys.executable} -m rnncli predict Tom -m bundled", cwd=copied_package)
    assert named.returncode == 2
    assert "this installation came without a model: name the file of one." in named.stderr


@pytest.mark.parametrize("wrong", [["-n", "-1"], ["-n", "x"], ["--format", "xml"], ["--nonsense"]])
def test_wrong_usage_ends_with_2(invoke, wrong):
    result = invoke("predict", "Tom", *wrong)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage:" in result.stderr


def test_words_that_could_steer_a_terminal_are_escaped(invoke, tmp_path):
    corpus = tmp_path / "evil.txt"
    corpus.write_text("\x1b[31mred \u202egnp [bold]x[/bold]\n" * 30)
    model = tmp_path / "evil.npz"
    trained = invoke("train", corpus, "--tokenizer", "whitespace", "--epochs", "1", "--hidden-size", "4", "-o", model)
    assert trained.exit_code == 0
    for output_format in ("tsv", "table", "jsonl"):
        result = invoke("predict", "\x1b[31mred", "\x1bwhat", "-n0", "--format", output_format, "-m", model)
        assert "\x1b" not in result.stdout + result.stderr
        assert "\u202e" not in result.stdout
        assert "[bold]x[/bold]" in result.stdout
        assert "\\u001b[31mred" in result.stdout or r"\x1b[31mred" in result.stdout


def test_the_parts_of_a_model_are_shown_with_what_they_give_to_each_word(invoke, model_file):
    plain = invoke("predict", "Tom is", "-m", model_file).stdout.splitlines()
    rows = [line.split("\t") for line in invoke("predict", "Tom is", "--parts", "-m", model_file).stdout.splitlines()]
    assert ["\t".join(row[:2]) for row in rows] == plain
    for _, probability, *parts in rows:
        assert len(parts) == 3
        assert sum(map(float, parts)) == pytest.approx(float(probability), rel=1e-4)
    answer = json.loads(invoke("predict", "Tom is", "--parts", "-n1", "--format", "jsonl", "-m", model_file).stdout)
    assert list(answer["predictions"][0]["parts"]) == ["network", "ngram", "cache"]
    table = invoke("predict", "Tom is", "--parts", "--format", "table", "-m", model_file).stdout
    assert table.splitlines()[0].split() == ["rank", "word", "probability", "network", "ngram", "cache"]


def test_a_model_adapts_to_a_text_before_it_predicts_and_its_file_stays_as_it_was(invoke, model_file, tmp_path):
    text = tmp_path / "mine.txt"
    before = model_file.read_bytes()
    text.write_text("Tom is bad at chess.\nMary is bad at music.\n" * 20)
    for n in (1, 2):  # also for several prompts
        adapted = invoke("predict", *["Tom is"] * n, "--adapt", text, "-n", 0, "--format", "jsonl", "-m", model_file)
        plain = invoke("predict", *["Tom is"] * n, "-n", 0, "--format", "jsonl", "-m", model_file)
        first, then = (
            {p["word"]: p["probability"] for p in json.loads(result.stdout.splitlines()[-1])["predictions"]}
            for result in (plain, adapted)
        )
        assert then["chess"] > first["chess"]
        assert sum(then.values()) == pytest.approx(1)
    assert model_file.read_bytes() == before


def test_words_that_cannot_be_adapted_to_are_counted(invoke, model_file, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Priya is good at chess.\nUllapool\n")
    told = (
        "2 of the 9 words of {0} are not in the model's vocabulary, and are not learned: rnncli learn {0} would learn"
    )
    result = invoke("predict", "Tom is", "--adapt", text, "-m", model_file)
    assert result.stderr == f"Warning: {told.format(text)} them\n"


def test_a_text_to_adapt_to_and_prompts_do_not_both_come_from_standard_input(invoke, model_file):
    result = invoke("predict", "--adapt", "-", "-m", model_file, input="Tom is\n")
    assert result.exit_code == 2
    assert result.stderr.endswith("--adapt - reads standard input: name the prompts in the command.\n")


def test_a_small_probability_is_shown_as_a_power_of_ten():
    assert [format_probability(p) for p in (0.25, 1e-4, 2.4e-6, 0.0)] == ["0.2500", "0.0001", "2e-06", "0.0000"]


def test_a_text_to_adapt_to_that_cannot_be_read_is_named(invoke, model_file):
    result = invoke("predict", "Tom is", "--adapt", "missing.txt", "-m", model_file)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "missing.txt" in result.stderr


def test_a_half_typed_word_is_completed(invoke, model, model_file):
    result = invoke("predict", "--complete", f"{SENTENCE} st", "-n", 3, "-m", model_file)
    assert result.stdout == "study\t1\n"
    nothing_typed = invoke("predict", "--complete", f"{SENTENCE} ", "-n", 3, "-m", model_file)
    best = model.complete(f"{SENTENCE} ", 3)
    assert nothing_typed.stdout == "".join(f"{word}\t{p:.6g}\n" for word, p in best)
    assert invoke("predict", "--complete", "Tom zzz", "-m", model_file).stdout == ""


def test_only_the_words_among_are_ranked(invoke, model, model_file):
    result = invoke("predict", "--among", "play, study,Bogus", SENTENCE, "-m", model_file)
    probabilities = dict(model.predict(SENTENCE, 0))
    assert result.stdout == f"study\t{probabilities['study']:.6g}\nplay\t{probabilities['play']:.6g}\n"
    assert result.stderr == "Warning: not in the model's vocabulary: Bogus\n"


def test_a_blank_is_filled(invoke, model, model_file):
    result = invoke("predict", "Tom is not good at ___, so he will study more.", "-n", 1, "-m", model_file)
    ((word, p),) = model.predict("Tom is not good at ___, so he will study more.", 1)
    assert result.stdout == f"{word}\t{p:.6g}\n"
    assert word == "science"


def test_a_prediction_is_explained_in_columns(invoke, model_file):
    result = invoke("predict", "--explain", "Tom is", "-m", model_file)
    first, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    best, probability = invoke("predict", "Tom is", "-n", 1, "-m", model_file).stdout.split()
    assert first[:2] == [best, probability]
    assert [part.partition("=")[0] for part in first[2:]] == ["network", "ngram", "cache"]
    assert [word for word, _ in rows] == ["Tom", "is"]
    record = json.loads(invoke("predict", "--explain", "Tom is", "--format", "jsonl", "-m", model_file).stdout)
    explained = ["prompt", "word", "probability", "parts", "influences", "unknown_words"]
    assert list(record) == [*explained, "sequences", "cached", "lines"]
    assert [f"{influence['change']:.6g}" for influence in record["influences"]] == [change for _, change in rows]


def test_an_explanation_is_for_the_word_that_is_named(invoke, model, model_file):
    result = invoke("predict", "--explain", "--word", "play", SENTENCE, "-m", model_file)
    assert result.stdout.startswith(f"play\t{dict(model.predict(SENTENCE, 0))['play']:.6g}\t")
    unknown = invoke("predict", "--explain", "--word", "Bogus", SENTENCE, "-m", model_file)
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "does not know the word 'Bogus'" in unknown.stderr


def test_an_explanation_is_a_coloured_prompt_on_a_terminal(terminal, invoke, model_file):
    shown, status = terminal(f"rnncli predict --explain '{SENTENCE}' -m {model_file}", columns=60)
    assert status == 0
    _, *rows = invoke("predict", "--explain", SENTENCE, "-m", model_file).stdout.splitlines()
    strongest, _ = max((row.split("\t") for row in rows), key=lambda row: float(row[1]))
    assert f"\x1b[1;32m{strongest}\x1b[0m" in shown.splitlines()[0]
    assert re.search(r"\x1b\[(1;)?32mscience\x1b\[0m", shown.splitlines()[0])
    assert "\x1b[1mstudy\x1b[0m" in shown.splitlines()[0]
    assert "adds" in shown.splitlines()[1]


def test_what_comes_from_the_environment_gives_way(invoke, model_file, monkeypatch):
    explained = invoke("predict", "Tom", "--explain", "-m", model_file).stdout
    with_parts = invoke("predict", "Tom", "--parts", "-m", model_file).stdout
    monkeypatch.setenv("RNNCLI_PREDICT_PARTS", "1")
    monkeypatch.setenv("RNNCLI_PREDICT_WORD", "play")
    assert invoke("predict", "Tom", "-m", model_file).stdout == with_parts
    monkeypatch.delenv("RNNCLI_PREDICT_WORD")
    assert invoke("predict", "Tom", "--explain", "-m", model_file).stdout == explained
    monkeypatch.delenv("RNNCLI_PREDICT_PARTS")
    monkeypatch.setenv("RNNCLI_PREDICT_EXPLAIN", "1")
    assert invoke("predict", "Tom", "--parts", "-m", model_file).stdout == with_parts
    assert invoke("predict", "Tom", "--parts", "--word", "play", "-m", model_file).exit_code == 2


def test_a_small_probability_is_not_shown_as_none(invoke, model, model_file):
    least = model.predict(SENTENCE, n=0)[-1]
    assert least.probability < 5e-5  # four digits would be zeros
    shown = invoke("predict", "--explain", SENTENCE, "--word", least.word, "--format", "table", "-m", model_file).stdout
    assert re.search(rf"{re.escape(least.word)}  +\de-\d\d  network ", shown)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--word", "play"],
        ["--explain", "--complete"],
        ["--explain", "-n", "3"],
        ["--explain", "--among", "play"],
        ["--explain", "--parts"],
        ["--among", "play,"],
    ],
)
def test_questions_that_make_no_sense_are_wrong_usage(invoke, model_file, wrong):
    result = invoke("predict", "Tom", *wrong, "-m", model_file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    ("prompt", "options", "error"),
    [
        ("Tom ___ and ___", [], "has several blanks: fill one at a time"),
        ("Tom ___ .", ["--explain"], "has a blank: only what comes next is explained"),
        ("Tom ___ .", ["--parts"], "has a blank: what the parts give is told of the next word only"),
    ],
)
def test_a_line_that_has_no_answer_is_told_and_the_others_are_answered(invoke, model_file, prompt, options, error):
    alone, other = (invoke("predict", "-m", model_file, *options, input=f"{text}\n").stdout for text in ("Tom", "Mary"))
    result = invoke("predict", "-m", model_file, *options, input=f"Tom\n{prompt}\nMary\n")
    assert (result.exit_code, result.stderr) == (1, f"Error: standard input, line 2: '{prompt}' {error}\n")
    assert result.stdout == f"{alone}\n\n{other}"
    records = invoke("predict", "-m", model_file, *options, "--format", "jsonl", input=f"{prompt}\nTom\n").stdout
    (record, answer) = map(json.loads, records.splitlines())
    assert record == {"prompt": prompt, "error": f"'{prompt}' {error}"}
    assert answer["prompt"] == "Tom"


def test_a_prompt_of_the_command_that_has_no_answer_is_told(invoke, model_file):
    result = invoke("predict", "-m", model_file, "Tom ___ and ___", "Tom")
    assert (result.exit_code, result.stderr) == (1, "Error: 'Tom ___ and ___' has several blanks: fill one at a time\n")
    assert result.stdout == "\n" + invoke("predict", "-m", model_file, "Tom").stdout


@pytest.mark.parametrize("count", [0, 2])
def test_many_prompts_are_answered_in_their_order(invoke, model_file, model, count):
    prompts = ["Tom", "Mary is", "Tom", "", "The doctor"] * 5
    result = invoke("predict", "-n", count, "--format", "jsonl", "-m", model_file, input="\n".join(prompts) + "\n")
    for line, prompt in zip(result.stdout.splitlines(), prompts, strict=True):
        record = json.loads(line)
        assert record["prompt"] == prompt
        expected = dict(model.predict(prompt, count))
        assert {found["word"]: found["probability"] for found in record["predictions"]} == pytest.approx(
            expected, rel=1e-4
        )


def test_an_explanation_is_not_wrapped_in_a_pipe(invoke, model_file):
    prompt = " ".join(["Tom is not good at science, so he will"] * 5)
    shown = invoke("predict", "--explain", "--format", "table", prompt, "-m", model_file).stdout
    assert shown.splitlines()[0].startswith(prompt.replace(",", " ,"))


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory):
    """A model of words that are wide, and longer than a terminal."""
    folder = tmp_path_factory.mktemp("wide")
    words = ["漢字仮名" * 12, "日本語", "これ", "ひらがな" * 20]
    (folder / "wide.txt").write_text("\n".join([" ".join(words), " ".join(words[::-1])] * 20), encoding="utf-8")
    model = train([folder / "wide.txt"], tokenizer="whitespace", hidden_size=4, epochs=1)
    save(model, folder / "wide.npz")
    return folder / "wide.npz"


@pytest.mark.parametrize("options", ["", "--parts", "--explain"])
def test_tables_of_wide_words_fit_the_terminal_and_are_whole_in_a_pipe(terminal, shell, wide_model, options):
    shown, status = terminal(f"rnncli predict これ {options} -m {wide_model}", columns=60)
    assert status == 0
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in shown.splitlines()]
    assert all(cell_len(line) <= 60 for line in lines)
    assert "…" not in shown
    if options != "--explain":
        assert (shown.count("仮"), shown.count("が")) == (12, 20)
    piped = shell(f"rnncli predict これ {options} --format table -m {wide_model}").stdout
    assert "…" not in piped
    if not options:
        assert "漢字仮名" * 12 in piped


def test_bars_make_room_for_words_on_a_narrow_terminal(terminal, model_file):
    narrow, wide = (terminal(f"rnncli predict Tom -n 3 -m {model_file}", columns=width)[0] for width in (30, 60))
    assert "█" in wide
    assert "█" not in narrow
    for line in narrow.splitlines()[1:]:
        assert line.split()[1] in wide
        assert "…" not in line


def test_what_nothing_fits_is_told(invoke, model_file):
    nothing = invoke("predict", "--complete", "Tom xqz", "-m", model_file)
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr == "Warning: no word fits 'Tom xqz'\n"
    none = invoke("predict", "--among", "xqz,Bogus", "Tom", "-m", model_file)
    assert (none.exit_code, none.stdout) == (2, "")
    assert none.stderr.startswith("Usage: rnncli predict [OPTIONS] [PROMPT]...\n")
    remedy = "name some of its words, with commas between"
    assert none.stderr.endswith(f"Error: the model knows none of the words xqz, Bogus: {remedy}\n")


@pytest.mark.parametrize(("prompt", "first"), [("Tom will study more.", EOS), ("Tom is", "good")])
def test_a_table_offers_words_and_the_end_of_a_line_only_where_that_is_likeliest(
    invoke, model, model_file, prompt, first
):
    ranked = [word for word, _ in model.predict(prompt, 0)]
    assert ranked[0] == first
    n = ranked.index(EOS) + 2
    rows = invoke("predict", prompt, "-n", n, "--format", "table", "-m", model_file).stdout.splitlines()[1:]
    words = [re.match(r" *\d+  (.+?)  ", row)[1].strip() for row in rows]
    expected = [word for word in ranked if word != EOS or first == EOS][:n]
    assert words == ["end of the line" if word == EOS else word for word in expected]
    fields = invoke("predict", prompt, "-n", n, "-m", model_file).stdout.splitlines()
    assert [field.split("\t")[0] for field in fields] == ranked[:n]
