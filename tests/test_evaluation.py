import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import rnncli
from rnncli.errors import ModelError, TextError
from rnncli.evaluation import GROUP, STREAMS, Band, _bands, evaluate, keys_unaided, mean_loss
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.metrics import Keyboard
from rnncli.prediction import rank
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import Tokens
from rnncli.threads import Threads


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Tom is good at chess, so he will not lose more.\nMary is bogus at music.\n")
    return path


def word_by_word(model, units: list[list[str]]) -> tuple[list[float], list[int], list[bool], list[float], list[float]]:
    """Of every word, one step at a time: its loss and rank, whether it is known, the best one's chance, and the keys.

    That is how many it takes to write it with the likeliest words on offer; infinite where it is unknown.
    """
    losses, ranks, known, confidence, keys = [], [], [], [], []
    keyboard = Keyboard(model.vocabulary.words)
    state = model.lm.start(1)
    for unit in units:
        for word in [*unit, "<eos>"]:
            number = model.vocabulary.numbers.get(word, 1)
            log_p = model.lm.log_prob(state)[0]
            losses.append(-log_p[number])
            order = [i for i in np.argsort(-log_p, kind="stable") if i != 1]
            ranks.append(order.index(number) if number != 1 else 10**6)
            known.append(number != 1)
            confidence.append(math.exp(log_p[order[0]]))
            keys.append(keyboard.keys(np.exp(log_p), number) if number != 1 else math.inf)
            state = model.lm.read(np.array([[number]]), state)
    return losses, ranks, known, confidence, keys


def test_every_figure_equals_reading_word_by_word(model, text):
    units = [model.tokenizer.tokenize(line) for line in text.read_text().splitlines()]
    losses, ranks, known, confidence, keys = word_by_word(model, units)
    found = evaluate(model, [text])
    assert found.words == len(losses) == 13 + 1 + 6 + 1
    assert found.unknown_words == known.count(False) == 1
    assert found.perplexity == pytest.approx(math.exp(np.mean(losses)), rel=1e-5)
    known_losses = [loss for loss, is_known in zip(losses, known, strict=True) if is_known]
    assert found.perplexity_known == pytest.approx(math.exp(np.mean(known_losses)), rel=1e-5)
    characters = len(text.read_text())
    assert found.bits_per_character == pytest.approx(sum(losses) / math.log(2) / characters, rel=1e-5)
    real = [1 / (1 + rank) if is_known else 0 for rank, is_known in zip(ranks, known, strict=True)]
    assert found.mean_reciprocal_rank == pytest.approx(np.mean(real))
    assert sum(band.words for band in found.bands) == len(losses)
    mean_loss_of_bands = sum(band.words * math.log(band.perplexity) for band in found.bands) / len(losses)
    assert mean_loss_of_bands == pytest.approx(np.mean(losses), rel=1e-5)
    assert [band.frequency_rank for band in found.bands] == ["1-100", "unknown"]
    assert sum(bin.words for bin in found.calibration) == len(losses)
    assert sum(bin.words * bin.accuracy for bin in found.calibration) == pytest.approx(ranks.count(0))
    assert sum(bin.words * bin.confidence for bin in found.calibration) == pytest.approx(sum(confidence))
    gaps = [bin.words * abs(bin.confidence - bin.accuracy) for bin in found.calibration]
    assert found.calibration_error == pytest.approx(sum(gaps) / len(losses))
    unaided = keys_unaided(Tokens.from_units(units), model.tokenizer)
    assert 0 < found.keystrokes_saved == pytest.approx(1 - np.minimum(keys, unaided).sum() / unaided.sum())
    for k in (1, 3, 5, 10):
        assert getattr(found, f"accuracy_at_{k}") == np.mean([rank < k for rank in ranks])


def test_each_part_alone_is_measured_too(model, text):
    found = evaluate(model, [text]).perplexity_of_parts
    assert list(found) == ["network", "ngram", "cache"]
    assert found["cache"] is None  # it gives no chance to a word that it has not seen
    ids = model.vocabulary.encode(Tokens.from_units(map(model.tokenizer.tokenize, text.read_text().splitlines())))
    for name, lm in (("network", model.lm.network), ("ngram", model.lm.ngram)):
        nll, _ = lm.score(ids[:, None], lm.start(1))
        assert found[name] == pytest.approx(math.exp(nll.mean()), rel=1e-5)


def test_accuracy_counts_what_predict_shows(model, tmp_path):
    path = tmp_path / "one.txt"
    path.write_text(rank(model, "", 1).predictions[0].word)
    _, ranks, *_ = word_by_word(model, [[path.read_text()]])
    assert ranks[0] == 0
    assert evaluate(model, [path]).accuracy_at_1 == np.mean([r == 0 for r in ranks])


def test_the_state_is_carried_over_lines_and_long_texts_are_read_in_parts(model, tmp_path, monkeypatch):
    path = tmp_path / "long.txt"
    path.write_text("Tom is good at chess.\n" * 50)
    whole = evaluate(model, [path])
    for name, numbers in (("PLACES", 7), ("NUMBERS", 3 * len(model.vocabulary))):
        monkeypatch.setattr(f"rnncli.evaluation.{name}", numbers)
        assert evaluate(model, [path]).perplexity == pytest.approx(whole.perplexity, rel=1e-6)


def test_a_dynamic_evaluation_learns_from_the_text_it_reads(model, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("The doctor is not Tom, so Tom will not play chess.\n" * 60)
    static, dynamic = (evaluate(model, [path], dynamic=learns) for learns in (False, True))
    assert dynamic.perplexity_of_parts["network"] < 0.7 * static.perplexity_of_parts["network"]
    assert dynamic.perplexity_of_parts["ngram"] == pytest.approx(static.perplexity_of_parts["ngram"])
    assert evaluate(model, [path]) == static


def test_a_dynamic_evaluation_foresees_words_before_it_learns_from_them(model, text, monkeypatch):
    monkeypatch.setattr("rnncli.evaluation.WINDOW", 10**6)  # so it learns when all is over
    assert evaluate(model, [text], dynamic=True).perplexity == pytest.approx(evaluate(model, [text]).perplexity)


def test_progress_is_told_to_the_end(model, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Tom is good at chess.\n" * 50)
    for read in (model.adapted, model.evaluate, functools.partial(model.evaluate, dynamic=True)):
        shares = []
        read([path], progress=shares.append)
        assert shares == sorted(set(shares))
        assert shares[-1] == 1


def test_what_learns_as_it_reads_keeps_to_one_core(model, text):
    threads = []

    def look(share) -> None:
        threads.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    for read in (model.adapted, functools.partial(model.evaluate, dynamic=True)):
        read([text], progress=look)
    assert set(threads) <= {1}


def test_a_model_whose_numbers_run_over_is_refused(model, text):
    network = model.lm.network
    values = {name: parameter.value.copy() for name, parameter in network.named_parameters().items()}
    values["softmax.bias"][3] = np.inf
    broken = replace(model, lm=Mixture(Network(network.config, values)))
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
    assert (found.words, found.unknown_words) == (4, 3)


def test_the_validation_loss_is_that_of_reading_each_part_from_a_beginning(model):
    ids = np.resize(np.array([2, 3, 4, 5, 6, 0]), 3001)
    parts = np.split(ids, range(131, 3001, 131))  # streams of at least 128 words, the last one shorter
    losses = [model.lm.score(part[:, None], model.lm.start(1))[0] for part in parts]
    assert GROUP < len(parts) < STREAMS
    assert mean_loss(model.lm, ids) == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)
    assert mean_loss(model.lm, ids, Threads(2).map) == mean_loss(model.lm, ids)


def test_the_validation_loss_counts_every_word_once(model):
    class Counting:
        def start(self, batch):
            return None

        def score(self, words, state):
            return words.astype(float), state

    ids = np.random.default_rng(1).integers(0, 9, 1234)
    assert mean_loss(Counting(), ids) == pytest.approx(ids.mean())


def test_words_are_in_bands_by_their_numbers_and_the_end_of_a_unit_is_among_the_most_frequent():
    ids = np.array([0, 2, 101, 102, 1001, 1002, 10_001, 10_002, 1, 1])
    nll = np.log([2.0, 8.0, 4.0, 5.0, 5.0, 6.0, 6.0, 7.0, 3.0, 3.0])
    ranks = np.array([0, 1, 0, 0, 0, 1, 1, 0, 20_000, 20_000])
    assert _bands(ids, nll, ranks) == [
        Band("1-100", 3, pytest.approx(4), pytest.approx(2 / 3)),
        Band("101-1000", 2, pytest.approx(5), 1.0),
        Band("1001-10000", 2, pytest.approx(6), 0.0),
        Band("10001-", 1, pytest.approx(7), 1.0),
        Band("unknown", 2, pytest.approx(3), 0.0),
    ]


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
    assert keys_unaided(tokens, tokenizer).tolist() == keys * 2
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
