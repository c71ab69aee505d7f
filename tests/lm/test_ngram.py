from collections import Counter

import numpy as np
import pytest

from rnncli.lm.ngram import NONE, count, discounts
from rnncli.text.vocabulary import EOS_ID, UNK_ID
from rnncli.threads import on_all_cores

V = 8


def text(rng, length: int = 300) -> np.ndarray:
    """Words of which some are much more frequent than others, in units of a few words; 7 never occurs."""
    ids = np.minimum(rng.geometric(0.35, length) - 1, V - 2)
    ids[-1] = EOS_ID
    return ids


def by_the_book(ids, order: int):
    """P(word | context) by the formulas of Chen and Goodman (1998), with dictionaries of tuples."""
    units = np.split(ids, np.flatnonzero(ids == EOS_ID) + 1)[:-1]
    raw = [Counter() for _ in range(order + 1)]
    for unit in units:
        padded = (EOS_ID, *map(int, unit))
        for n in range(1, order + 1):
            for end in range(max(2, n), len(padded) + 1):
                raw[n][padded[end - n : end]] += 1
    counts = [None, *raw[1:]]
    for n in range(1, order):
        before = Counter(gram[1:] for gram in raw[n + 1])
        counts[n] = Counter({gram: before[gram] or times for gram, times in raw[n].items()})

    def probability(word, context):
        if not context:
            n, lower = 1, 1 / V
        else:
            n, lower = len(context) + 1, probability(word, context[1:])
        followers = {gram[-1]: times for gram, times in counts[n].items() if gram[:-1] == context}
        if not followers:
            return lower
        total = sum(followers.values())
        off = discounts(np.array(list(counts[n].values())))
        p = {follower: (times - off[min(times, 3)]) / total for follower, times in followers.items()}
        return p.get(word, 0.0) + (1 - sum(p.values())) * lower

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_formulas(order, rng):
    ids = text(rng)
    model, expected = count(ids, V, order), by_the_book(ids, order)
    seen, state = [EOS_ID], model.start(1)
    for word in rng.integers(0, V, 40):
        context = tuple(seen[1 - order :]) if order > 1 else ()
        p = np.exp(model.log_prob(state)[0])
        np.testing.assert_allclose(p, [expected(w, context) for w in range(V)])
        state = model.read(np.array([[word]]), state)
        seen = [EOS_ID] if word == EOS_ID else [*seen, int(word)]


@pytest.mark.parametrize("prune", [False, True])
def test_the_chance_of_one_word_is_that_in_the_whole_distribution_which_sums_to_one(prune, rng):
    model, words = count(text(rng, 2000), V, 4, prune), rng.integers(0, V, (25, 3))
    start = model.start(3)
    nll, end = model.score(words, start)
    state = start
    for t in range(len(words)):
        log_p = model.log_prob(state)
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)
        np.testing.assert_allclose(log_p[np.arange(3), words[t]], -nll[t])
        state = model.read(words[t : t + 1], state)
    np.testing.assert_array_equal(state, end)


def test_what_was_read_before_a_unit_does_not_matter(rng):
    model = count(text(rng), V, 4)
    after = model.read(np.array([[3], [2], [EOS_ID]]), model.start(1))
    np.testing.assert_array_equal(after, model.start(1))


def test_where_no_word_is_unknown_a_new_one_is_as_likely_as_those_that_were_new_once():
    ids = np.array([2, 2, 2, 2, 3, 3, 4, 5, 6, EOS_ID])  # 4, 5, 6 and the end once
    counts = np.array([1, 4, 4, 2, 1, 1, 1, 0])  # with the unknown word, 1
    p = (counts - discounts(counts)[np.minimum(counts, 3)]) / counts.sum()
    np.testing.assert_allclose(count(ids, V, 1).unigrams, p + (1 - p.sum()) / V)
    known = count(np.append(ids, [UNK_ID, EOS_ID]), V, 1).unigrams  # where it did occur, it is a word as all others
    np.testing.assert_allclose(known[UNK_ID], known[4])


def test_what_is_kept_of_the_bigrams_serves_threads_and_dtypes_alike(rng):
    ids = text(rng)
    model, fresh = count(ids, V, 3), count(ids, V, 3)
    contexts, _, _ = model.follow(ids[:, None], model.start(1))

    def distributions(part: int) -> np.ndarray:
        p = np.zeros((100, V), (np.float32, np.float64)[part % 2])
        model.add_to(p, contexts[100 * (part // 2) :][:100, 0], np.ones(100))
        return p

    found = on_all_cores(distributions, range(6))
    for part, p in enumerate(found):
        expected = np.exp([fresh.log_prob(state)[0] for state in contexts[100 * (part // 2) :][:100]])
        np.testing.assert_allclose(p, expected, rtol=1e-12 if part % 2 else 1e-6)


def test_the_matched_length_is_that_of_the_longest_context_that_had_a_follower():
    model = count(np.array([2, 3, 4, 0, 2, 3, 5, 0]), V, 3)
    state, found = model.start(1), []
    for word in (2, 3, 4, 4, 7, 0):
        found.append(int(model.matched(state)[0]))
        state = model.read(np.array([[word]]), state)
    # After <eos>, <eos> 2, 2 3, 3 4, 4 4 (unseen, but 4 was followed by <eos>), and 7, which never occurred.
    assert found == [1, 2, 2, 2, 1, 0]


def grams(model) -> list[dict[tuple[int, ...], int]]:
    """For each length from 2 on the n-grams, and their counts."""
    found, contexts = [], [(word,) for word in range(len(model.unigrams))]
    for level in model.levels:
        owners = np.repeat(np.arange(len(contexts)), np.diff(level.starts.astype(int)))
        contexts = [(*contexts[owner], int(word)) for owner, word in zip(owners, level.words, strict=True)]
        found.append(dict(zip(contexts, level.counts.tolist(), strict=True)))
    return found


def test_pruning_leaves_out_longer_ngrams_that_occurred_once_and_keeps_their_weight_in_the_context(rng):
    ids = text(rng, 2000)
    whole, pruned = count(ids, V, 4), count(ids, V, 4, prune=True)
    padded = [EOS_ID, *ids.tolist()]
    for n, (all_grams, kept, level) in enumerate(zip(grams(whole), grams(pruned), pruned.levels, strict=True), 2):
        times = Counter(tuple(padded[i : i + n]) for i in range(len(padded) - n + 1))
        once = {gram for gram in all_grams if n > 2 and times[gram] == 1}
        assert bool(once) == (n > 2)
        assert kept == {gram: count for gram, count in all_grams.items() if gram not in once}
        contexts = [(word,) for word in range(V)] if n == 2 else list(grams(pruned)[n - 3])
        left_out = [sum(all_grams[gram] for gram in once if gram[:-1] == context) for context in contexts]
        np.testing.assert_array_equal(level.rest, [*left_out, 0])


def test_what_was_pruned_counts_in_the_context_that_it_stood_in(rng):
    model = count(text(rng, 400), V, 3, prune=True)
    known, off = grams(model), model.levels[1].discounts
    contexts = list(known[0])
    for context in contexts:
        counts = {gram[-1]: times for gram, times in known[1].items() if gram[:2] == context}
        total = sum(counts.values()) + int(model.levels[1].rest[contexts.index(context)])
        if not counts:
            continue
        state = model.read(np.array(context)[:, None], model.start(1))
        lower = np.exp(model.log_prob(np.where(np.arange(3) < 1, state, NONE)))[0]  # by the last word alone
        given = np.zeros(V)
        for word, times in counts.items():
            given[word] = (times - off[min(times, 3)]) / total
        expected = given + (1 - given.sum()) * lower
        if EOS_ID not in context:
            np.testing.assert_allclose(np.exp(model.log_prob(state))[0], expected)
    assert model.levels[1].rest.any()


def test_a_rare_beginning_does_not_disturb_what_is_pruned():
    model = count(np.array([2, 3, 4, 0, 7, 7, 7, 7, 0, 7, 7, 7, 7, 0]), V, 4, prune=True)
    np.testing.assert_allclose(np.exp(model.log_prob(model.start(1))).sum(), 1)


@pytest.mark.parametrize("ids", [[2, 0], [2, 2, 2, 0], [0], [0, 0, 0], [2, 3]], ids=str)
def test_a_tiny_text_leaves_something_to_every_word(ids):
    model = count(np.array(ids), V, 5)
    state = model.start(1)
    for word in (2, 2, 3, 0):
        p = np.exp(model.log_prob(state))
        np.testing.assert_allclose(p.sum(), 1)
        assert p.min() > 0
        state = model.read(np.array([[word]]), state)


def test_discounts_are_those_of_chen_and_goodman_where_all_small_counts_occur():
    counts = np.repeat([1, 2, 3, 4, 9], [100, 40, 20, 12, 5])
    y = 100 / 180
    np.testing.assert_allclose(discounts(counts), [0, 1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 12 / 20])


def test_something_is_taken_off_every_count():
    few_twice = np.repeat([1, 2, 3, 4], [100, 10, 1000, 10_000])  # by the formula less than nothing off the last two
    np.testing.assert_allclose(discounts(few_twice), [0, 1 - 1 / 6, 0.1, 0.1])


def test_the_place_of_an_unseen_ngram_is_none():
    model = count(np.array([2, 3, 0]), V, 3)
    level = model.levels[0]
    np.testing.assert_array_equal(level.find(np.array([2, 2, NONE]), np.array([3, 4, 3])), [1, NONE, NONE])
