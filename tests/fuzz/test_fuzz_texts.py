"""Some hundred random texts, and those that failed once."""

import campaign
import pytest
import texts

import rnncli
from rnncli.errors import TextError
from rnncli.text.reading import read_batches

CASES = 400


@pytest.mark.filterwarnings("ignore")
def test_random_texts_are_read_cut_numbered_and_continued_or_refused_in_one_line():
    outcomes, defects = campaign.run(texts.check, range(CASES), seed=23)
    assert not defects, defects[0]
    assert sum(outcomes.values()) == CASES


@pytest.mark.filterwarnings("ignore")
def test_a_word_is_accepted_before_a_text_that_nobody_sees():
    suggester = texts.model("word").suggester(3)
    assert suggester.accept("The c", "cat’s", "\u200b\x00 ") == ("The cat’s ", "\u200b\x00 ")


@pytest.mark.filterwarnings("ignore")
def test_a_half_typed_word_that_nobody_sees_is_replaced():
    for half in ("\u2800", "\u0301", "\x00"):
        assert texts.model("word").suggester(3).accept(f"The {half}", "cat’s", "")[0].startswith("The")


def test_utf_16_without_a_mark_that_breaks_off_is_an_error(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("one\ntwo".encode("utf-16-le") + b"\x00\xd8" + "three".encode("utf-16-le"))
    with pytest.raises(TextError, match="is not UTF-16 text"):
        list(read_batches(path, "utf-16"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("prompt", ["\ud800", "e\u0301\u0323" * 2000, "a\0b", "9" * 10_000, "a" * 100_000, "(" * 5000])
def test_a_prompt_of_any_characters_is_answered(prompt):
    asked = texts.model("word")
    assert len(asked.predict(prompt, 3)) == 3
    assert asked.score([prompt])[0].log_probability < 0
    assert asked.detokenize(asked.tokenizer.tokenize(prompt))
    assert isinstance(asked.complete(prompt, 3), list)


def test_rnncli_reads_a_folder_while_a_file_of_it_vanishes(tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("The cat sat.\nA dog ran.\n", encoding="utf-8")
    read, units = rnncli.text.reading.read_units(tmp_path)
    assert next(units) == "The cat sat."
    (tmp_path / "b.txt").unlink()
    assert list(units) == ["A dog ran."]
    assert read.warnings() == [f"left out {tmp_path / 'b.txt'}: No such file or directory"]
