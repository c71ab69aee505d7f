"""A mark that the corpus writes in two ways is two words of the model, and one word to whoever asks it."""

import numpy as np
import pytest

from rnncli.tasks.metrics import KeystrokeCounter
from rnncli.text.annotation import annotated
from rnncli.text.vocabulary import EOS, EOS_ID, UNK, UNK_ID, Vocabulary

PROMPTS = ["", "The", "The cat slept", "The cat slept --", "The cat slept--", "The cat slept -- then", "The cat’s toy"]
LINES = {
    "spaced": ["The", " cat", " slept", " --", " then", " left", "."],
    "joined": ["The", " cat", " slept", "--", "then", " left", "."],
    "without": ["The", " cat", " slept", " and", " purred", "."],
}
RESULTS = {
    "predict": lambda model, file: [model.predict(prompt, 0) for prompt in PROMPTS],
    "among": lambda model, file: model.predict("The cat slept", among=["--", annotated("--", "", None)]),
    "fill": lambda model, file: [model.fill(f"{prompt} ___ then left.", 0) for prompt in PROMPTS],
    "complete": lambda model, file: [model.complete(text, 0) for text in ("The cat slept ", "The cat slept -")],
    "explain": lambda model, file: [model.explain(f"The cat slept--{end}") for end in ("", "then")],
    "suggester": lambda model, file: [model.suggester(20).suggest(f"The cat slept{end}") for end in (" ", " -", "--")],
    "generate": lambda model, file: model.generate("The cat", 300, seed=1),
    "score": lambda model, file: model.score(file.read_text(encoding="utf-8").splitlines()[:9]),
    "evaluate": lambda model, file: model.evaluate(file),
    "word": lambda model, file: [model.word(number) for number in range(len(model.vocabulary))],
}


def likeliest(model, prompt: str) -> str:
    return model.predict(prompt, 1)[0].word


def evaluation(model, tmp_path, line: str):
    (tmp_path / "line.txt").write_text(line, encoding="utf-8")
    return model.evaluate(tmp_path / "line.txt")


def distribution(model, prompt: str) -> np.ndarray:
    """The probabilities of all words of the model after a prompt, with notes and without."""
    state, _ = model.state_after(prompt)
    return model.lm.distribution(model.lm.context(state))[0, 0].astype(np.float64)


def rankings(model, pieces: list[str]) -> tuple[list[str], np.ndarray]:
    """Of each word of a line, what comes before it, and its rank there by `predict`."""
    words = [*(piece.strip() for piece in pieces), EOS]
    before = ["".join(pieces[:place]) for place in range(len(words))]
    predicted = [[found for found, _ in model.predict(prompt, 0)] for prompt in before]
    return before, np.array([found.index(word) for word, found in zip(words, predicted, strict=True)])


def test_the_model_has_a_noted_mark_that_is_the_likeliest_only_with_its_variant(noted_model):
    words, unnoted = noted_model.vocabulary.noted
    assert [noted_model.vocabulary.word(number) for number in words] == [annotated("--", "", None)]
    assert [noted_model.vocabulary.word(number) for number in unnoted] == ["--"]
    assert noted_model.vocabulary.word(int(distribution(noted_model, "The cat slept").argmax())) == "and"
    assert likeliest(noted_model, "The cat slept") == "--"


@pytest.mark.parametrize("result", RESULTS)
def test_no_answer_shows_a_note(noted_model, noted_file, result):
    answer = ascii(RESULTS[result](noted_model, noted_file))
    assert "\\ufdd" not in answer
    assert "--" in answer or result == "evaluate"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_mark_is_predicted_once_with_the_probability_of_all_its_variants(noted_model, prompt):
    predictions = noted_model.predict(prompt, 0)
    words = [word for word, _ in predictions]
    assert words.count("--") == 1
    assert sorted([*words, UNK, "--"]) == sorted(map(noted_model.word, range(len(noted_model.vocabulary))))
    assert sum(p for _, p in predictions) == pytest.approx(1, abs=1e-6)
    p = distribution(noted_model, prompt)
    numbers = [noted_model.vocabulary.number(word) for word in ("--", annotated("--", "", None))]
    assert dict(predictions)["--"] == pytest.approx(p[numbers].sum() / (1 - p[UNK_ID]), abs=1e-6)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_blank_at_the_end_is_filled_by_the_words_that_are_predicted_there(noted_model, prompt):
    found = noted_model.fill(f"{prompt} ___", 0)
    predicted = {word: p for word, p in noted_model.predict(prompt, 0) if word != EOS}
    assert len(dict(found)) == len(found)
    assert dict(found) == pytest.approx({word: p / sum(predicted.values()) for word, p in predicted.items()}, abs=1e-6)


def test_a_blank_between_words_is_filled_by_each_word_once(noted_model):
    found = noted_model.fill("The cat slept ___ then left.", 0)
    words = [word for word, _ in found]
    assert words[0] == "--"
    assert len(set(words)) == len(words)
    assert sum(p for _, p in found) == pytest.approx(1)


def test_a_blank_that_may_be_filled_by_a_mark_or_a_word_weighs_all_variants_of_the_mark(noted_model):
    after = "then left."
    paths = {
        "and": "The cat slept and then left.",
        " --": "The cat slept -- then left.",
        "--": "The cat slept--then left.",
    }
    p = {name: np.exp(sum(noted_model.score(line)[0].word_log_probabilities[:-1])) for name, line in paths.items()}
    found = dict(noted_model.fill(f"The cat slept ___ {after}", among=["and", "--"]))
    assert found["--"] / found["and"] == pytest.approx((p[" --"] + p["--"]) / p["and"], rel=1e-3)


@pytest.mark.parametrize("prompt", ["", "The", "The cat", "The cat slept", "The cat slept--", "The cat slept -- then"])
def test_without_chance_the_word_that_is_predicted_first_is_written(noted_model, prompt):
    assert noted_model.generate(prompt, 1, temperature=0).strip() == likeliest(noted_model, prompt)


def test_both_ways_to_write_a_mark_are_generated(noted_model):
    text = noted_model.generate("The cat", 600, seed=1)
    assert "slept -- then left." in text
    assert "slept--then left." in text
    assert "The cat’s toy costs 5€." in text


def test_a_mark_is_explained_with_all_its_variants(noted_model):
    explanation = noted_model.explain("The cat slept")
    assert explanation.word == "--"
    assert explanation.probability == pytest.approx(dict(noted_model.predict("The cat slept"))["--"], rel=1e-5)
    assert sum(explanation.parts.values()) == pytest.approx(explanation.probability, rel=1e-5)


@pytest.mark.parametrize("text", ["The cat slept ", "The cat slept -"])
def test_a_mark_is_suggested_once(noted_model, text):
    for found in (noted_model.suggester(20).suggest(text), noted_model.complete(text, 0)):
        assert [word for word, _ in found].count("--") == 1
        assert found[0].word == "--"
        assert sum(p for _, p in found) == pytest.approx(1, abs=1e-6)


def test_a_line_is_scored_as_it_was_learned_with_its_spaces(noted_training, noted_model, noted_file):
    lines = noted_file.read_text(encoding="utf-8").splitlines()
    learned = noted_training.corpus.train
    units = dict(zip(lines, np.split(learned, np.flatnonzero(learned == EOS_ID)[:-1] + 1), strict=False))
    spaced, joined = ("".join(LINES[name]) for name in ("spaced", "joined"))
    assert units[spaced].tolist() != units[joined].tolist()
    for line in (spaced, joined):
        ids = units[line][:, None]
        (score,) = noted_model.score(line)
        np.testing.assert_array_equal(noted_model.encode(line)[0], ids[:-1])
        nll, _ = noted_model.lm.score(ids, noted_model.lm.initial_state(1))
        assert score.word_log_probabilities == pytest.approx((-nll[:, 0]).tolist(), rel=1e-5)
        assert score.words == noted_model.tokenizer.tokenize(line)
    assert noted_model.score(spaced)[0].log_probability != noted_model.score(joined)[0].log_probability


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_evaluated_as_it_is_scored(noted_model, tmp_path, name):
    line = "".join(LINES[name])
    found = evaluation(noted_model, tmp_path, line)
    assert found.perplexity == pytest.approx(noted_model.score(line)[0].perplexity, rel=1e-5)
    assert found.unknown_words == 0


@pytest.mark.parametrize("name", LINES)
def test_the_accuracy_is_that_of_the_words_as_they_are_predicted_whatever_their_spaces(noted_model, tmp_path, name):
    found = evaluation(noted_model, tmp_path, "".join(LINES[name]))
    before, ranks = rankings(noted_model, LINES[name])
    for k in (1, 3, 5, 10):
        assert getattr(found, f"accuracy_at_{k}") == pytest.approx(np.mean(ranks < k))
    assert found.mean_reciprocal_rank == pytest.approx(np.mean(1 / (1 + ranks)))
    assert found.bands[0].accuracy_at_1 == pytest.approx(np.mean(ranks == 0))
    of_named = [
        noted_model.predict(prompt, 1)[0].probability * (1 - distribution(noted_model, prompt)[UNK_ID])
        for prompt in before
    ]
    assert sum(bin.confidence * bin.words for bin in found.calibration) == pytest.approx(sum(of_named), rel=1e-5)
    assert sum(bin.accuracy * bin.words for bin in found.calibration) == pytest.approx(np.sum(ranks == 0))


def test_a_keyboard_suggests_no_mark_with_a_note():
    words = [EOS, UNK, "a", "b", "c", "-", annotated("-", None, ""), annotated("-", None, " "), "--"]
    p = np.array([0, 0, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05])
    counter = KeystrokeCounter(words, Vocabulary(words).noted[0])
    assert counter.keys(p, words.index("--")) == 2  # only - is likelier once - is typed: a key, and one to accept
    assert counter.keys(p, words.index("a")) == 1


def test_a_training_gives_its_model_what_it_has_learned_of_spaces(noted_training, noted_model, noted_file):
    assert noted_model.detokenizer == noted_training.corpus.detokenizer
    assert any(noted_model.detokenizer.rules)
    assert "cat’s" in noted_model.detokenizer.forms.values()
    for line in noted_file.read_text(encoding="utf-8").splitlines()[:12]:
        words = map(noted_model.vocabulary.word, noted_model.encode(line)[0][:, 0].tolist())
        assert noted_model.detokenize(words) == line
