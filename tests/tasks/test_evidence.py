import numpy as np
import pytest

import rnncli
from rnncli.errors import TextError
from rnncli.tasks.evidence import MAX_LINES, lines_with, source_lines
from rnncli.text.vocabulary import EOS

SENTENCE = "Tom is good at chess, so he will not lose"


def test_the_longest_sequence_that_each_n_gram_part_has_seen_is_told_with_its_count(model, corpus_file, tmp_path):
    (tmp_path / "band.txt").write_text("Zelda plays the theremin.\nTom plays the theremin.\n" * 3, encoding="utf-8")
    learned = model.learned(tmp_path / "band.txt")
    explanation = learned.explain("Ole plays the")
    assert explanation.word == "theremin"
    (seen,) = explanation.sequences  # the n-grams of the model know nothing of it
    assert (seen.part, seen.words, seen.count, seen.is_exact) == ("personal", ["plays", "the", "theremin"], 2, False)
    seen = {sequence.part: sequence for sequence in learned.explain("Zelda plays the").sequences}["personal"]
    assert (seen.words, seen.count) == ([EOS, "Zelda", "plays", "the", "theremin"], 3)
    assert seen.is_exact
    (seen,) = learned.explain("Zelda", "plays").sequences
    assert (seen.part, seen.words, seen.count, seen.is_exact) == ("personal", [EOS, "Zelda", "plays"], 3, True)
    (ngram,) = model.explain(SENTENCE.rpartition(" ")[0], "lose").sequences
    assert ngram.words == ["so", "he", "will", "not", "lose"]
    held_out = 10
    lines = corpus_file.read_text().splitlines()[:-held_out]
    assert ngram.count == sum("so he will not lose" in line.replace(",", "") for line in lines)


def test_the_cache_tells_where_the_word_stood_with_the_words_around_it(model):
    explanation = model.explain(f"{SENTENCE} more, so he will not", "lose")
    (place,) = explanation.cached
    assert (place.before, place.word, place.after) == (["so", "he", "will", "not"], "lose", ["more", ","])
    assert place.fraction == pytest.approx(1)
    twice = model.explain(f"{SENTENCE} and {SENTENCE} more, so he will not", "lose").cached
    assert len(twice) == 2
    assert sum(place.fraction for place in twice) == pytest.approx(1)
    assert twice[0].fraction >= twice[1].fraction
    assert model.explain("Tom is", "lose").cached == []


def test_the_lines_of_a_source_are_named_that_hold_the_words(model, tmp_path):
    lines = ["Nothing.", "Tom is good at chess, so he will not lose more.", "so he will not lose", "he will lose"]
    (tmp_path / "notes.txt").write_text("\n".join(lines * 3), encoding="utf-8")
    notes = source_lines(tmp_path / "notes.txt")
    found = lines_with(model, notes, ["will", "not", "lose"])
    assert [(line.number, line.text) for line in found] == [(2, lines[1]), (3, lines[2]), (6, lines[1])]
    assert len(found) == MAX_LINES
    assert lines_with(model, notes, [EOS, "he", "will"])[0].number == 4
    assert [line.number for line in lines_with(model, notes, ["not", "lose", EOS])] == [3, 7, 11]
    explanation = model.explain("Tom will not", "lose", sources=tmp_path / "notes.txt")
    assert [line.number for line in explanation.lines] == [2, 3, 6]
    shorter = model.explain("Mary will not", "lose", sources=tmp_path / "notes.txt")
    assert [line.number for line in shorter.lines] == [2, 3, 6]
    assert model.explain("Tom is", "chess", sources=tmp_path / "notes.txt").lines == []
    unknown = model.explain("Zelda", "will", sources=tmp_path / "notes.txt")
    assert unknown.lines == []


def test_a_model_of_the_network_alone_has_no_evidence(model):
    alone = rnncli.Predictor(
        rnncli.lm.mixture.Mixture([model.lm.parts[0]], len(model.vocabulary), np.ones((1, 1))),
        model.vocabulary,
        model.tokenizer,
    )
    explanation = alone.explain("Tom is")
    assert (explanation.sequences, explanation.cached, explanation.lines) == ([], [], [])


def test_a_source_is_a_folder_or_several_files_and_lookalikes_are_alike(model, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("Nothing.\nTom isn’t good at chess.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Tom is good at chess.\n", encoding="utf-8")
    lines = source_lines([tmp_path / "notes", tmp_path / "b.txt"])
    found = lines_with(model, lines, ["good", "at", "chess"])
    assert [(line.source, line.number) for line in found] == [
        (str(tmp_path / "notes" / "a.txt"), 2),
        (str(tmp_path / "b.txt"), 1),
    ]
    with pytest.raises(TextError, match=r"missing\.txt"):
        source_lines(tmp_path / "missing.txt")
