import functools
import math
from dataclasses import replace

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError, TextError
from rnncli.lm.adaptation import WINDOW_WORDS
from rnncli.lm.interface import Part
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram
from rnncli.model import Model
from rnncli.tasks.evaluate import WORDS_PER_CHUNK, Band, evaluate, keys_unaided
from rnncli.tasks.metrics import KeystrokeCounter
from rnncli.text.detokenizer import Detokenizer
from rnncli.text.spacer import Spacer
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS, UNK, Tokens, Vocabulary


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Tom is good at chess, so he will not lose more.\nMary is bogus at music.\n")
    return path


class WordByWord:
    """Figures of every word, read one step at a time."""

    def __init__(self, model, units: list[list[str]]):
        self.losses: list[float] = []
        self.ranks: list[int] = []
        self.is_known: list[bool] = []
        self.confidence: list[float] = []  # the probability of the likeliest word
        self.keys: list[float] = []  # to write it where the likeliest words are suggested; infinite where it is unknown
        keyboard = KeystrokeCounter(model.vocabulary.words)
        state = model.lm.initial_state(1)
        for word in [word for unit in units for word in [*unit, "<eos>"]]:
            number = model.vocabulary.numbers.get(word, 1)
            p = model.lm.distribution(model.lm.context(state))[0, 0]
            order = [i for i in np.argsort(-p, kind="stable") if i != 1]
            is_known = number != 1
            self.losses.append(-math.log(p[number]))
            self.ranks.append(order.index(number) if is_known else 10**6)
            self.is_known.append(is_known)
            self.confidence.append(float(p[order[0]]))
            self.keys.append(keyboard.keys(p, number) if is_known else math.inf)
            state = model.lm.read(np.array([[number]]), state)


def test_every_figure_equals_reading_word_by_word(model, text):
    units = [model.tokenizer.tokenize(line) for line in text.read_text().splitlines()]
    expected = WordByWord(model, units)
    losses = expected.losses
    found = evaluate(model, [text])
    assert found.words == len(losses) == 13 + 1 + 6 + 1
    assert found.unknown_words == expected.is_known.count(False) == 1
    assert found.perplexity == pytest.approx(math.exp(np.mean(losses)), rel=1e-5)
    known_losses = [loss for loss, is_known in zip(losses, expected.is_known, strict=True) if is_known]
    assert found.perplexity_known == pytest.approx(math.exp(np.mean(known_losses)), rel=1e-5)
    characters = len(text.read_text())
    assert found.bits_per_character == pytest.approx(sum(losses) / math.log(2) / characters, rel=1e-5)
    reciprocal_ranks = [
        1 / (1 + rank) if is_known else 0 for rank, is_known in zip(expected.ranks, expected.is_known, strict=True)
    ]
    assert found.mean_reciprocal_rank == pytest.approx(np.mean(reciprocal_ranks))
    assert sum(band.words for band in found.bands) == len(losses)
    mean_loss_of_bands = sum(band.words * math.log(band.perplexity) for band in found.bands) / len(losses)
    assert mean_loss_of_bands == pytest.approx(np.mean(losses), rel=1e-5)
    assert [band.frequency_rank for band in found.bands] == ["1-100", "unknown"]
    assert sum(bin.words for bin in found.calibration) == len(losses)
    assert sum(bin.words * bin.accuracy for bin in found.calibration) == pytest.approx(expected.ranks.count(0))
    assert sum(bin.words * bin.confidence for bin in found.calibration) == pytest.approx(sum(expected.confidence))
    gaps = [bin.words * abs(bin.confidence - bin.accuracy) for bin in found.calibration]
    assert found.calibration_error == pytest.approx(sum(gaps) / len(losses))
    unaided = keys_unaided(Tokens.from_units(units), model.spacer)
    assert 0 < found.keystrokes_saved == pytest.approx(1 - np.minimum(expected.keys, unaided).sum() / unaided.sum())
    for k in (1, 3, 5, 10):
        assert getattr(found, f"accuracy_at_{k}") == np.mean([rank < k for rank in expected.ranks])


def test_each_part_alone_is_measured_too(model, text):
    found = evaluate(model, [text]).perplexity_of_parts
    assert list(found) == ["network", "ngram", "cache"]
    assert found["cache"] is None  # a word that is not in it is impossible
    ids = model.vocabulary.encode(Tokens.from_units(map(model.tokenizer.tokenize, text.read_text().splitlines())))
    for kind in (Network, NGram):
        lm = Mixture([model.lm.find(kind)], len(model.vocabulary))
        nll, _ = lm.score(ids[:, None], lm.initial_state(1))
        assert found[kind.name] == pytest.approx(math.exp(nll.mean()), rel=1e-5)


def test_accuracy_counts_what_predict_shows(model, tmp_path):
    path = tmp_path / "one.txt"
    path.write_text(model.predict("", 1)[0].word)
    ranks = WordByWord(model, [[path.read_text()]]).ranks
    assert ranks[0] == 0
    assert evaluate(model, [path]).accuracy_at_1 == np.mean([r == 0 for r in ranks])


def test_the_state_is_carried_over_lines_and_long_texts_are_read_in_chunks(model, tmp_path, monkeypatch):
    path = tmp_path / "long.txt"
    path.write_text("Tom is good at chess.\n" * 100)
    ids = model.vocabulary.encode(Tokens.from_units(map(model.tokenizer.tokenize, path.read_text().splitlines())))
    assert len(ids) > 2 * WORDS_PER_CHUNK
    nll, _ = model.lm.score(ids[:, None], model.lm.initial_state(1))
    whole = evaluate(model, [path])
    assert whole.perplexity == pytest.approx(math.exp(nll.mean()), rel=1e-5)
    monkeypatch.setattr("rnncli.tasks.evaluate.MAX_PROBABILITIES", 3 * len(model.vocabulary))  # as if it were large
    assert evaluate(model, [path]).perplexity == pytest.approx(whole.perplexity, rel=1e-6)


def test_a_dynamic_evaluation_learns_from_the_text_it_reads(model, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("The doctor is not Tom, so Tom will not play chess.\n" * 60)
    static, dynamic = (evaluate(model, [path], dynamic=learns) for learns in (False, True))
    assert dynamic.perplexity_of_parts["learned"] < 0.7 * static.perplexity_of_parts["network"]
    assert dynamic.perplexity_of_parts["network"] == pytest.approx(static.perplexity_of_parts["network"])
    assert dynamic.perplexity_of_parts["ngram"] == pytest.approx(static.perplexity_of_parts["ngram"])
    assert evaluate(model, [path]) == static


def test_a_dynamic_evaluation_predicts_words_before_it_learns_from_them(model, tmp_path):
    path = tmp_path / "text.txt"
    unit = "chess Tom more science . good at play Mary not " * 3 + "chess\n"
    path.write_text(unit)  # which surprises the model, and is over when it learns
    static = evaluate(model, [path])
    assert static.words == WINDOW_WORDS
    assert evaluate(model, [path], dynamic=True).perplexity == pytest.approx(static.perplexity)
    path.write_text(unit * 2)
    assert evaluate(model, [path], dynamic=True).perplexity != pytest.approx(evaluate(model, [path]).perplexity)


def test_progress_is_reported_to_the_end(model, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Tom is good at chess.\n" * 50)
    for read in (model.adapted, model.evaluate, functools.partial(model.evaluate, dynamic=True)):
        fractions = []
        read([path], progress=fractions.append)
        assert fractions == sorted(set(fractions))
        assert fractions[-1] == 1


def test_a_model_of_numbers_that_overflow_is_refused(model, text):
    network = model.lm.find(Network)
    values = network.values()
    values["softmax.bias"] = values["softmax.bias"].copy()
    values["softmax.bias"][3] = np.inf
    broken = replace(model, lm=Mixture([Network(network.config, values)], len(model.vocabulary)))
    with pytest.raises(ModelError, match="overflow"), np.errstate(invalid="ignore"):
        evaluate(broken, [text])


def test_several_texts_are_read_as_one(model, text, tmp_path):
    both = tmp_path / "both.txt"
    both.write_text(text.read_text() * 2)
    assert evaluate(model, [text, text]) == evaluate(model, [both])


def test_a_text_without_a_word_is_refused(model, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("\n\n")
    with pytest.raises(TextError, match=r"empty\.txt holds no word to evaluate on"):
        evaluate(model, [path])


def test_the_bits_per_character_of_a_character_model_are_the_log_of_its_perplexity(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("if a:\n    b = 1\n\tc = 2\n" * 30)
    found = rnncli.train(path, tokenizer="char", hidden_size=8, epochs=1).evaluate(path)
    assert found.bits_per_character == pytest.approx(math.log2(found.perplexity))


def test_a_text_of_unknown_words_alone_is_no_mistake(model, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("quite other things\n")
    found = evaluate(model, [path])
    assert (found.words, found.unknown_words, found.unknown_fraction) == (4, 3, 0.75)


class Frequencies(Part):
    """A part that gives words always the same probabilities."""

    name = "frequencies"
    prior_weight = 1.0
    stored_config = from_file = None  # which evaluation does not ask for

    def __init__(self, p: np.ndarray):
        self.p = p

    def initial_state(self, batch):
        return None

    def advance(self, words, state, before):
        return None, None

    def context(self, state, before):
        return None

    def probability(self, words, context, prefixes=None):
        return self.p[words]

    def add_to(self, p, context, weight):
        p += weight[..., None] * self.p


@pytest.mark.parametrize(
    ("likeliest", "accuracies"),
    [("<eos>", [0.5, 0, 0, 0, 0]), ("w101", [0, 0.5, 0, 0, 0]), ("w10001", [0, 0, 0, 1, 0]), ("<unk>", [0] * 5)],
)
def test_words_are_in_bands_by_their_numbers_and_the_end_of_a_unit_is_among_the_most_frequent(
    tmp_path, rng, likeliest, accuracies
):
    vocabulary = Vocabulary([EOS, UNK, *(f"w{rank}" for rank in range(1, 10_003))])
    p = rng.dirichlet(np.ones(len(vocabulary)))
    p[vocabulary.numbers[likeliest]] = 0.5
    p = (p / p.sum()).astype(np.float32)
    model = Model(Mixture([Frequencies(p)], len(vocabulary)), vocabulary, Tokenizer("whitespace"))
    bands = {
        "1-100": ["w1", "w100", "<eos>", "<eos>"],
        "101-1000": ["w101", "w1000"],
        "1001-10000": ["w1001", "w10000"],
        "10001-": ["w10001"],
        "unknown": ["<unk>", "never"],
    }
    path = tmp_path / "text.txt"
    path.write_text("w1 w101 w1001 w10001 never\nw100 w1000 w10000 <unk>\n")
    expected = []
    for (name, words), accuracy in zip(bands.items(), accuracies, strict=True):
        perplexity = math.exp(-np.log(p[[vocabulary.find(word) for word in words]]).mean())
        expected.append(Band(name, len(words), pytest.approx(perplexity, rel=1e-5), accuracy))
    assert evaluate(model, [path]).bands == expected


@pytest.mark.parametrize(
    ("unit", "keys"),
    [
        ("Tom plays chess, too.", [4, 6, 5, 2, 3, 1, 1]),
        ("你好。", [1, 1, 1, 1]),
        ('He said "no" (twice).', [3, 5, 1, 2, 2, 1, 5, 1, 1, 1]),
    ],
)
def test_without_help_a_key_is_pressed_for_every_character_and_the_end(unit, keys):
    tokenizer = Tokenizer("word")
    tokens = Tokens.from_units([tokenizer.tokenize(unit)] * 2)
    assert keys_unaided(tokens, functools.partial(Spacer, Detokenizer(), tokenizer)).tolist() == keys * 2
    assert sum(keys) == len(unit) + 1


def test_a_word_of_one_letter_before_a_full_stop_saves_no_key(tmp_path):
    path = tmp_path / "letters.txt"
    path.write_text("你好。\n" * 60)
    model = rnncli.train(path, hidden_size=8, epochs=1)
    assert evaluate(model, [path]).keystrokes_saved == 0


def test_an_unknown_word_is_never_right_however_few_words_there_are(tmp_path):
    path, other = tmp_path / "dna.txt", tmp_path / "other.txt"
    path.write_text("ACGTTGCA\n" * 60)
    other.write_text("xyz\n")
    found = rnncli.train(path, tokenizer="char", hidden_size=8, epochs=1).evaluate(other)
    assert found.accuracy_at_10 == 1 / 4  # the end of the line
