import json
import math
import re

import click
import pytest

from rnncli.cli.answering import answer_lines
from rnncli.cli.tables import bar
from rnncli.errors import TextError
from rnncli.tasks.score import score_all

TEXT = "Tom is good at chess.\n\nTom is Bogus.\n"


@pytest.fixture
def score(invoke, model_file):
    return lambda *arguments, **options: invoke("score", *arguments, "-m", model_file, **options)


def columns(found, unit: float = 1.0) -> str:
    total = found.log_probability / unit
    return f"{total:.6g}\t{len(found.words)}\t{len(found.unknown_words)}\t{found.perplexity:.6g}"


def test_each_line_is_scored_in_order(score, model, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text(TEXT)
    lines = TEXT.splitlines()
    expected = "".join(f"{columns(s)}\t{line}\n" for s, line in zip(score_all(model, lines), lines, strict=True))
    for result in (score(path), score(input=TEXT), score("-", input=TEXT)):
        assert result.stdout == expected
        assert result.stderr == "Warning: not in the model's vocabulary: Bogus\n"


def test_sorted_by_the_first_column_gibberish_comes_last(score):
    lines = ["Gzorp flumbix.", "Tom is good at physics.", "Tom is good at chess."]
    rows = score(input="\n".join(lines)).stdout.splitlines()
    best_first = sorted(rows, key=lambda row: -float(row.split("\t")[0]))
    assert [row.split("\t")[-1] for row in best_first] == lines[::-1]


@pytest.mark.parametrize(("base", "unit"), [("e", 1.0), ("2", math.log(2)), ("10", math.log(10))])
def test_logarithms_have_the_base_asked_for(score, model, base, unit):
    (found,) = score_all(model, ["Tom is"])
    assert score("--log-base", base, input="Tom is\n").stdout == f"{columns(found, unit)}\tTom is\n"


def test_each_word_is_scored(score, model):
    (found,) = score_all(model, ["Tom is"])
    names = ["Tom", "is", "<eos>"]
    expected = "".join(f"{w}\t{p:.6g}\n" for w, p in zip(names, found.word_log_probabilities, strict=True))
    assert score("--words", input="Tom is\n").stdout == expected + "\n"
    record = json.loads(score("--words", "--format", "jsonl", input="Tom is\n").stdout)
    assert [word for word, _ in record["word_log_probabilities"]] == names
    assert record["log_probability"] == pytest.approx(sum(p for _, p in record["word_log_probabilities"]))


def test_json_lines_tell_all_of_a_line(score, model):
    (found,) = score_all(model, ["Tom is Bogus"])
    assert json.loads(score("--format", "jsonl", input="Tom is Bogus\n").stdout) == {
        "line": "Tom is Bogus",
        "log_probability": found.log_probability,
        "words": 3,
        "unknown_words": ["Bogus"],
        "perplexity": found.perplexity,
    }


def test_one_field_is_scored_and_the_others_pass_through(score, model):
    (found,) = score_all(model, ["Tom is"])
    assert score("--field", 2, input="7\tTom is\tx\n").stdout == f"{columns(found)}\t7\tTom is\tx\n"


def test_the_best_line_of_each_id_is_kept(score):
    right = "Mary is good at music, so she will not play more."
    wrong = "Mary is good at music, so he will not play more."
    text = f"b\t{wrong}\nb\t{right}\na\t{right}\nb\t{wrong} x\na\t{wrong}\n"
    result = score("--field", 2, "--best-by", 1, input=text)
    assert [line.split("\t")[4:] for line in result.stdout.splitlines()] == [["b", right], ["a", right]]


def test_a_line_of_known_words_is_better_than_gibberish(score):
    known = "chess good at is Tom."
    unknown = "xqz vvk."
    for lines in ([known, unknown], [unknown, known]):
        result = score("--field", 2, "--best-by", 1, input="".join(f"1\t{line}\n" for line in lines))
        assert result.stdout.endswith(f"\t1\t{known}\n")


def test_a_line_in_another_encoding_does_not_keep_the_others_from_their_answer(score):
    result = score(input=b"Tom is\nMary \xff\nTom is\n")
    one, wrong, other = result.stdout.splitlines()
    assert one == other
    assert wrong.startswith("-\t-\t-\t-\tMary ")
    told = "this is in another encoding: name it with --encoding, such as --encoding latin-1"
    assert result.stderr == f"Error: standard input, line 2: {told}\n"
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "wrong",
    [["--best-by", "1"], ["--best-by", "1", "--field", "2", "--words"], ["--log-base", "3"], ["--field", "0"]],
)
def test_wrong_usage_ends_with_2(score, wrong):
    result = score(*wrong, input="Tom\n")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_file_that_is_not_there_is_named(score):
    result = score("missing.txt")
    assert (result.exit_code, result.stderr) == (1, "Error: cannot read missing.txt: No such file or directory\n")


MISSING = "Error: standard input, line 2: there is no field 2 in '3': fields are separated by tabs\n"


def test_a_line_without_the_field_is_told_and_the_others_are_scored(score):
    first, last = (score("--field", 2, input=line).stdout for line in ("1\tTom\n", "2\tMary\n"))
    result = score("--field", 2, input="1\tTom\n3\n2\tMary\n")
    assert (result.exit_code, result.stderr) == (1, MISSING)
    assert result.stdout == f"{first}-\t-\t-\t-\t3\n{last}"
    record = json.loads(score("--field", 2, "--format", "jsonl", input="1\tTom\n3\n").stdout.splitlines()[1])
    assert record == {"line": "3", "error": "there is no field 2 in '3': fields are separated by tabs"}


def test_a_line_without_the_field_is_never_the_best_one(score):
    result = score("--field", 2, "--best-by", 1, input="1\tTom\n3\n2\tMary\n")
    assert (result.exit_code, result.stderr) == (1, MISSING)
    first, last = (score("--field", 2, input=line).stdout for line in ("1\tTom\n", "2\tMary\n"))
    assert result.stdout == first + last
    no_id = score("--field", 1, "--best-by", 2, input="Tom\t1\n3\n")
    assert (no_id.exit_code, no_id.stderr) == (1, MISSING)


def test_a_table_has_the_same_numbers_in_columns(score):
    result = score("--format", "table", input="Tom is\nTom is Bogus\n")
    header, *rows = result.stdout.splitlines()
    assert header == "   log-prob  words  unknown  perplexity  line"
    for row, line in zip(rows, ["Tom is", "Tom is Bogus"], strict=True):
        *numbers, shown = score(input=f"{line}\n").stdout.removesuffix("\n").split("\t")
        shown_numbers = row.split()[:4]
        assert shown_numbers[1:3] == numbers[1:3]
        assert [float(value) for value in shown_numbers] == pytest.approx([float(value) for value in numbers], rel=1e-3)
        assert row.endswith(f"  {shown}")
        assert row.index(line) == header.index("line")
    by_word = score("--words", "--format", "table", input="Tom is\n").stdout.splitlines()
    assert by_word[0] == "Tom is"
    names = [line.split("  ")[0] for line in by_word[1:4]]
    assert names == ["Tom", "is", "end of the line"]


def test_a_table_of_words_is_headed_by_its_line_on_a_terminal(terminal, model, model_file):
    (found,) = score_all(model, ["Tom is"])
    shown, status = terminal(f"echo 'Tom is' | rnncli score --words -m {model_file}", columns=60)
    lowest = min(found.word_log_probabilities)
    width = len(f"{lowest:.4f}")
    rows = [
        f"{word:<15}  {p:{width}.4f}  {bar(p / lowest):<20}"
        for word, p in zip(["Tom", "is", "end of the line"], found.word_log_probabilities, strict=True)
    ]
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert (plain, status) == ("\n".join(["Tom is", *rows, "", ""]), 0)


@pytest.mark.parametrize(("columns", "indent"), [(60, 41), (50, 0)])
def test_a_narrow_terminal_shows_the_whole_line_in_several(terminal, model_file, columns, indent):
    words = "Tom is not good at science, so he will play more. Mary is good at music."
    shown, status = terminal(f"echo '{words}' | rnncli score -m {model_file}", columns)
    assert status == 0
    row = shown.partition("line\n")[2]
    assert row.split()[4:] == words.split()
    _, *others = row.splitlines()
    assert len(others) > 0
    assert all(line.startswith(" " * indent) and line[indent] != " " for line in others)
    assert all(len(line) <= columns for line in shown.splitlines())


def test_a_file_is_read_in_its_encoding(score, tmp_path, model):
    path = tmp_path / "latin.txt"
    path.write_bytes("Tom is é\n".encode("latin-1"))
    (found,) = score_all(model, ["Tom is é"])
    assert score(path, "--encoding", "latin-1").stdout == f"{columns(found)}\tTom is é\n"


def test_what_comes_from_the_environment_gives_way(score, monkeypatch):
    text = "1\tTom is good\n1\tTom is\n"
    best = score("--field", 2, "--best-by", 1, input=text).stdout
    words = score("--field", 2, "--words", input=text).stdout
    monkeypatch.setenv("RNNCLI_SCORE_WORDS", "1")
    assert score("--field", 2, "--best-by", 1, input=text).stdout == best
    monkeypatch.delenv("RNNCLI_SCORE_WORDS")
    monkeypatch.setenv("RNNCLI_SCORE_BEST_BY", "1")
    assert score(input="Tom is\n").exit_code == 0
    assert score("--field", 2, "--words", input=text).stdout == words


def test_lines_at_fault_are_found_by_halving_and_the_others_are_asked_for_together():
    asked = []

    def ask(lines):
        asked.append(len(lines))
        if "bad" in lines:
            raise TextError("it is bad")
        return [line.upper() for line in lines]

    lines = [f"line {number}" for number in range(64)]
    lines[41] = "bad"
    with click.Context(click.Command("score")):
        found = list(answer_lines([lines], ask, lambda *failed: failed, lines_per_call=1000, source="text"))
    assert found == [*(line.upper() for line in lines[:41]), ("bad", "it is bad"), *(s.upper() for s in lines[42:])]
    assert len(asked) == 13  # all, and the two halves of 64, 32, 16, 8, 4 and 2 lines
