from collections import Counter

import numpy as np
import pytest

from rnncli.lm.mixture import Mixture, MixtureState
from rnncli.lm.ngram import UNSEEN, NGram, NGramContext
from rnncli.lm.ngram_counts import discounts
from rnncli.nn.threads import on_all_cores
from rnncli.text.vocabulary import EOS_ID, UNK_ID

V = 8


def text(rng, length: int = 300) -> np.ndarray:
    """Words of which some are much more frequent than others, in units of a few words; 7 never occurs."""
    ids = np.minimum(rng.geometric(0.35, length) - 1, V - 2)
    ids[-1] = EOS_ID
    return ids


def by_the_formulas(ids, order: int):
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
def test_probabilities_are_those_of_the_formulas(order, rng, exact_distribution):
    ids = text(rng)
    lm = Mixture([NGram.count(ids, V, order)], V)
    expected = by_the_formulas(ids, order)
    seen = [EOS_ID]
    state = lm.initial_state(1)
    for word in rng.integers(0, V, 40):
        context = tuple(seen[1 - order :]) if order > 1 else ()
        p = exact_distribution(lm, state)[0]
        np.testing.assert_allclose(p, [expected(w, context) for w in range(V)])
        state = lm.read(np.array([[word]]), state)
        seen = [EOS_ID] if word == EOS_ID else [*seen, int(word)]


@pytest.mark.parametrize("prune", [False, True])
def test_the_probability_of_one_word_is_that_in_the_whole_distribution_which_sums_to_one(
    prune, rng, exact_distribution
):
    lm = Mixture([NGram.count(text(rng, 2000), V, 4, prune)], V)
    words = rng.integers(0, V, (25, 3))
    state = lm.initial_state(3)
    nll, end = lm.score(words, state)
    for t in range(len(words)):
        p = exact_distribution(lm, state)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(np.log(p[np.arange(3), words[t]]), -nll[t])
        state = lm.read(words[t : t + 1], state)
    np.testing.assert_array_equal(state.states[0], end.states[0])


def test_words_that_were_not_read_are_as_likely_as_those_that_were(rng):
    ngram = NGram.count(text(rng), V, 4)
    words = rng.integers(0, V, (9, 2))
    context, _ = ngram.advance(words, ngram.initial_state(2), {})
    others = rng.integers(0, V, (9, 2))
    context_of_others = context._replace(words=None, ngrams=None)
    for asked in (words, others):  # those that were read, whose n-grams are known by now, and others
        p = ngram.probability(asked, context)
        np.testing.assert_array_equal(p, ngram.probability(asked, context_of_others))
        examined = ngram.examine(np.zeros((9, 2, V)), context, np.ones((9, 2)), asked)
        np.testing.assert_allclose(examined, p)


def test_the_words_before_a_unit_do_not_matter(rng):
    lm = Mixture([NGram.count(text(rng), V, 4)], V)
    after = lm.read(np.array([[3], [2], [EOS_ID]]), lm.initial_state(1))
    np.testing.assert_array_equal(after.states[0], lm.initial_state(1).states[0])


def test_where_no_word_is_unknown_a_new_one_is_as_likely_as_all_that_were_new_once():
    ids = np.array([2, 2, 2, 2, 3, 3, 4, 5, 6, EOS_ID])  # 4, 5, 6 and the end once
    counts = np.array([1, 4, 4, 2, 1, 1, 1, 0])  # with the unknown word, 1
    p = (counts - discounts(counts)[np.minimum(counts, 3)]) / counts.sum()
    np.testing.assert_allclose(NGram.count(ids, V, 1).unigrams, p + (1 - p.sum()) / V)
    known = NGram.count(
        np.append(ids, [UNK_ID, EOS_ID]), V, 1
    ).unigrams  # an <unk> of the text is a word like any other
    np.testing.assert_allclose(known[UNK_ID], known[4])


def test_the_bigrams_that_are_kept_serve_threads_and_dtypes_alike(rng, exact_distribution):
    ids = text(rng)
    ngram = NGram.count(ids, V, 3)
    fresh = Mixture([NGram.count(ids, V, 3)], V)
    context, _ = ngram.advance(ids[:, None], ngram.initial_state(1), {})
    states = context.contexts[:, 0]

    def distributions(piece: int) -> np.ndarray:
        p = np.zeros((1, 100, V), (np.float32, np.float64)[piece % 2])
        some = states[100 * (piece // 2) :][:100]
        ngram.add_to(p, ngram.context(some, {}), np.ones((1, 100)))
        return p[0]

    found = on_all_cores(distributions, range(6))
    for piece, p in enumerate(found):
        some = states[100 * (piece // 2) :][:100]
        expected = exact_distribution(fresh, MixtureState(100, (some,)))
        np.testing.assert_allclose(p, expected, rtol=1e-12 if piece % 2 else 1e-6)


def test_the_group_of_a_context_is_the_length_of_its_longest_end_that_had_a_follower():
    ngram = NGram.count(np.array([2, 3, 4, 0, 2, 3, 5, 0]), V, 3)
    words = np.array([[2], [3], [4], [4], [7], [0]])
    context, _ = ngram.advance(words, ngram.initial_state(1), {})
    # After <eos>, <eos> 2, 2 3, 3 4, 4 4 (unseen, but 4 was followed by <eos>), and 7, which never occurred.
    assert ngram.group(context)[:, 0].tolist() == [1, 2, 2, 2, 1, 0]
    assert ngram.groups == 3


def ngrams_of(model: NGram) -> list[dict[tuple[int, ...], int]]:
    """For each length from 2 on the n-grams, and their counts."""
    found = []
    contexts = [(word,) for word in range(len(model.unigrams))]
    for level in model.levels:
        context_index = np.repeat(np.arange(len(contexts)), np.diff(level.starts.astype(int)))
        pairs = zip(context_index, level.words, strict=True)
        contexts = [(*contexts[index], int(word)) for index, word in pairs]
        found.append(dict(zip(contexts, level.counts.tolist(), strict=True)))
    return found


def test_pruning_leaves_out_longer_ngrams_that_occurred_once_and_keeps_their_weight_in_the_context(rng):
    ids = text(rng, 700)
    pruned = NGram.count(ids, V, 4, prune=True)
    kept = ngrams_of(pruned)
    padded = [EOS_ID, *ids.tolist()]
    for n, (every, level) in enumerate(zip(ngrams_of(NGram.count(ids, V, 4)), pruned.levels, strict=True), 2):
        times = Counter(tuple(padded[i : i + n]) for i in range(len(padded) - n + 1))
        once = {gram for gram in every if times[gram] == 1}
        assert once
        if n == 2:
            once = set()  # bigrams are all kept
        assert kept[n - 2] == {gram: count for gram, count in every.items() if gram not in once}
        contexts = [(word,) for word in range(V)] if n == 2 else list(kept[n - 3])
        left_out = [sum(every[gram] for gram in once if gram[:-1] == context) for context in contexts]
        np.testing.assert_array_equal(level.pruned_counts, [*left_out, 0])


def test_pruned_ngrams_count_in_their_context(rng, exact_distribution):
    ngram = NGram.count(text(rng, 400), V, 3, prune=True)
    lm = Mixture([ngram], V)
    known = ngrams_of(ngram)
    level = ngram.levels[1]
    for number, context in enumerate(known[0]):
        counts = {gram[-1]: times for gram, times in known[1].items() if gram[:2] == context}
        total = sum(counts.values()) + int(level.pruned_counts[number])
        if not counts or EOS_ID in context:
            continue
        state = lm.read(np.array(context)[:, None], lm.initial_state(1))
        shorter = np.where(np.arange(3) < 1, state.states[0], UNSEEN)  # the last word alone
        lower = exact_distribution(lm, MixtureState(1, (shorter,)))[0]
        higher = np.zeros(V)
        for word, times in counts.items():
            higher[word] = (times - level.discounts[min(times, 3)]) / total
        expected = higher + (1 - higher.sum()) * lower
        np.testing.assert_allclose(exact_distribution(lm, state)[0], expected)
    assert level.pruned_counts.any()


def test_a_rare_beginning_does_not_disturb_what_is_pruned(exact_distribution):
    lm = Mixture([NGram.count(np.array([2, 3, 4, 0, 7, 7, 7, 7, 0, 7, 7, 7, 7, 0]), V, 4, prune=True)], V)
    np.testing.assert_allclose(exact_distribution(lm, lm.initial_state(1)).sum(), 1)


@pytest.mark.parametrize("ids", [[2, 0], [2, 2, 2, 0], [0], [0, 0, 0], [2, 3]], ids=str)
def test_a_tiny_text_leaves_something_to_every_word(ids, exact_distribution):
    lm = Mixture([NGram.count(np.array(ids), V, 5)], V)
    state = lm.initial_state(1)
    for word in (2, 2, 3, 0):
        p = exact_distribution(lm, state)
        np.testing.assert_allclose(p.sum(), 1)
        assert p.min() > 0
        state = lm.read(np.array([[word]]), state)


def test_discounts_are_those_of_chen_and_goodman_where_all_small_counts_occur():
    counts = np.repeat([1, 2, 3, 4, 9], [100, 40, 20, 12, 5])
    y = 100 / 180
    np.testing.assert_allclose(discounts(counts), [0, 1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 12 / 20])


def test_something_is_taken_off_every_count():
    few_twice = np.repeat([1, 2, 3, 4], [100, 10, 1000, 10_000])  # by the formula less than nothing off the last two
    np.testing.assert_allclose(discounts(few_twice), [0, 1 - 1 / 6, 0.1, 0.1])


@pytest.mark.parametrize(("missing", "sizes"), [(1, [0, 9, 9, 9]), (4, [9, 9, 9, 0])])
def test_where_a_small_count_never_occurs_half_of_a_count_is_taken_off(missing, sizes):
    np.testing.assert_array_equal(discounts(np.repeat([1, 2, 3, 4], sizes)), [0, 0.5, 1, 1.5])


def test_an_unseen_ngram_has_no_number():
    ngram = NGram.count(np.array([2, 3, 0]), V, 3)
    level = ngram.levels[0]
    found = level.find(np.array([2, 2, UNSEEN]), np.array([3, 4, 3]))
    np.testing.assert_array_equal(found, [1, UNSEEN, UNSEEN])


def test_every_array_is_stored_in_the_smallest_type_that_holds_it(rng):
    ngram = NGram.count(rng.integers(0, 300, 2000), 300, 3)
    arrays = [array for level in ngram.levels for array in (level.words, level.counts, level.starts)]
    assert [array.dtype for array in arrays] == [np.min_scalar_type(array.max()) for array in arrays]
    assert {array.dtype for array in arrays} == {np.dtype(np.uint8), np.dtype(np.uint16)}


def test_one_place_at_a_time_is_as_many_together(text):
    """Texts are written word by word, which takes another way through the n-grams."""
    ngram = NGram.count(text, V, 4)
    words = text[:40, None]
    together, last = ngram.advance(words, ngram.initial_state(1), {})
    state = ngram.initial_state(1)
    weight = np.full((1, 1), 0.7)
    for place, word in enumerate(words[:, 0]):
        context = ngram.context(state, {})
        p = np.zeros((1, 1, V), np.float32)
        ngram.add_to(p, context, weight)
        of_all = np.zeros((2, 1, V), np.float32)  # two places, so that they are not done one by one
        ngram.add_to(of_all, NGramContext(together.contexts[[place, 0]]), np.repeat(weight, 2, axis=0))
        np.testing.assert_allclose(p[0], of_all[0], rtol=1e-5)
        assert ngram.group(context) == ngram.group(together)[place]
        read, state = ngram.advance(np.array([[word]]), state, {})
        np.testing.assert_array_equal(read.ngrams[0], together.ngrams[place])
    np.testing.assert_array_equal(state, last)
