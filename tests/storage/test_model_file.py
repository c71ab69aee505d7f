import json
import os
import pickle
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rnncli
from rnncli.errors import ModelError, RnncliError
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig, initial_values
from rnncli.model import Model
from rnncli.storage.atomic import MODEL, check_writable
from rnncli.storage.model_file import FORMAT, load, save
from rnncli.tasks.predict import predict_all
from rnncli.text.detokenizer import GAPS, LEVELS, Detokenizer
from rnncli.text.tokenizers import TOKENIZERS, Tokenizer
from rnncli.text.vocabulary import EOS, UNK, Vocabulary


def rewrite(source, target, **changes) -> None:
    """Copy a model file with some members changed, or left out where the change is None."""
    with np.load(source) as file:
        arrays = dict(file) | changes
    with open(target, "wb") as file:
        np.savez(file, **{name: array for name, array in arrays.items() if array is not None})


def config_with(source, part: str = "network", value: object = None, **changes) -> np.ndarray:
    with np.load(source) as file:
        config = json.loads(str(file["config"]))
    config[part] = value or config[part] | changes
    return np.array(json.dumps(config))


def test_a_loaded_model_predicts_what_the_saved_one_did(model, model_file):
    loaded = rnncli.load(model_file)
    assert loaded.predict("Tom is not good at", 0) == model.predict("Tom is not good at", 0)
    assert (loaded.vocabulary.words, loaded.tokenizer, loaded.unit) == (
        model.vocabulary.words,
        model.tokenizer,
        model.unit,
    )
    assert loaded.about == model.about


def test_a_file_without_a_detokenizer_writes_as_most_languages_do(noted_model, tmp_path):
    save(noted_model, tmp_path / "new.npz")
    assert load(tmp_path / "new.npz").detokenizer == noted_model.detokenizer != Detokenizer()
    rewrite(tmp_path / "new.npz", tmp_path / "old.npz", format=np.array(1), detokenizer=None)
    assert load(tmp_path / "old.npz").detokenizer == Detokenizer()


def test_a_model_of_ngrams_alone_is_saved_and_loaded(model, tmp_path):
    alone = Model(Mixture([model.ngram], len(model.vocabulary)), model.vocabulary, model.tokenizer)
    save(alone, tmp_path / "alone.npz")
    loaded = load(tmp_path / "alone.npz")
    assert loaded.lm.names == ("ngram",)
    assert predict_all(loaded, ["Tom is"], 0) == predict_all(alone, ["Tom is"], 0)


def test_a_model_file_can_be_read_with_numpy_alone(model, model_file):
    with np.load(model_file, allow_pickle=False) as file:
        assert int(file["format"]) == FORMAT
        assert json.loads(str(file["config"]))["network"]["cell"] == "lstm"
        assert file["vocabulary"].tobytes().decode().split("\n") == model.vocabulary.words
        assert json.loads(str(file["about"]))["corpus"]["name"] == "school"
        np.testing.assert_array_equal(file["embedding.weight"], model.lm.find(Network).embedding.weight.value)


def test_a_model_tells_how_it_was_trained(model):
    about = model.about
    assert about["corpus"]["train_words"] + about["corpus"]["valid_words"] > 2500
    assert len(about["corpus"]["sha256"]) == 64
    assert len(about["history"]) == 60
    assert about["settings"]["lr"] == 0.02
    assert about["versions"]["rnncli"] == rnncli.__version__


words = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1), unique=True)
cells = st.sampled_from([("lstm", "tanh"), ("gru", "tanh"), ("elman", "tanh"), ("elman", "relu"), ("elman", "sigmoid")])
dropouts = st.floats(0, 0.9)
any_config = st.builds(
    lambda cell, **options: NetworkConfig(vocabulary_size=2, cell=cell[0], activation=cell[1], **options),
    cell=cells,
    hidden_size=st.integers(1, 5),
    embedding_size=st.integers(1, 5),
    layers=st.integers(1, 3),
    tied=st.booleans(),
    dropout=dropouts,
    word_dropout=dropouts,
    recurrent_dropout=dropouts,
)
any_tokenizer = st.builds(Tokenizer, st.sampled_from([*TOKENIZERS]), st.booleans(), st.booleans())


def any_rules(level):
    """Rules of a level: its features, and white space."""
    return st.dictionaries(st.tuples(*[st.text(max_size=3)] * len(level)), st.sampled_from([*GAPS]), max_size=3)


any_forms = st.fixed_dictionaries(
    {}, optional={("don't",): st.just("don’t"), ('"',): st.sampled_from("“”„"), ('"', "1", ""): st.just("“")}
)
any_detokenizer = st.builds(Detokenizer, st.tuples(*map(any_rules, LEVELS)).map(list), any_forms)


@given(words, any_config, any_tokenizer, any_detokenizer, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_model_comes_back_as_it_was(tmp_path, words, config, tokenizer, detokenizer, with_cache):
    vocabulary = Vocabulary([EOS, UNK, *(word for word in words if word not in (EOS, UNK))])
    config = NetworkConfig(**{**asdict(config), "vocabulary_size": len(vocabulary)})
    values = initial_values(config, np.random.default_rng(1))
    parts = [Network(config, values)]
    if with_cache:
        parts.append(Cache(7, 2.5))
    lm = Mixture(parts, len(vocabulary))
    save(Model(lm, vocabulary, tokenizer, "paragraph", {}, detokenizer), tmp_path / "any.npz")
    loaded = load(tmp_path / "any.npz")
    assert (loaded.lm.find(Network).config, loaded.vocabulary.words) == (config, vocabulary.words)
    assert (loaded.tokenizer, loaded.unit, loaded.detokenizer) == (tokenizer, "paragraph", detokenizer)
    assert loaded.lm.find(Cache) == lm.find(Cache)  # its width is not stored, but that of the network
    for name, value in values.items():
        np.testing.assert_array_equal(loaded.lm.find(Network).parameters[name].value, value)


def test_the_other_parts_come_back_as_they_were(model, model_file):
    loaded = load(model_file)
    assert loaded.lm.names == ("network", "ngram", "cache")
    assert loaded.lm.find(Cache) == model.lm.find(Cache)
    np.testing.assert_array_equal(loaded.lm.weights, model.lm.weights)
    np.testing.assert_array_equal(loaded.ngram.unigrams, model.ngram.unigrams)
    for level, same in zip(model.ngram.levels, loaded.ngram.levels, strict=True):
        for name, array in vars(level).items():
            np.testing.assert_array_equal(getattr(same, name), array)


def test_the_names_in_a_file_are_those_of_the_first_format(model_file):
    with np.load(model_file) as file:
        names = set(file.files)
        config = json.loads(str(file["config"]))
    assert {"format", "config", "vocabulary", "about", "shares", "ngram.unigrams"} <= names
    assert {f"ngram.5.{name}" for name in ("words", "counts", "starts", "rest", "discounts")} <= names
    assert set(config) == {"network", "ngram_order", "cache", "tokenizer", "unit"}
    assert set(config["cache"]) == {"size", "sharpness"}


def test_a_file_that_knows_no_folding_is_that_of_a_tokenizer_that_does_not_fold(model, model_file, tmp_path):
    assert model.tokenizer == Tokenizer("word", fold=True)
    rewrite(model_file, tmp_path / "old.npz", config=config_with(model_file, "tokenizer", {"kind": "word"}))
    assert load(tmp_path / "old.npz").tokenizer == Tokenizer("word", fold=False)
    rewrite(model_file, tmp_path / "odd.npz", config=config_with(model_file, "tokenizer", fold="yes"))
    with pytest.raises(ModelError, match=r"odd\.npz is damaged: its tokenizer is"):
        load(tmp_path / "odd.npz")


def test_a_file_that_knows_no_dropout_of_words_and_of_recurrent_weights_has_none(model_file, tmp_path):
    with np.load(model_file) as file:
        config = json.loads(str(file["config"]))
    for name in ("word_dropout", "recurrent_dropout"):
        del config["network"][name]
    rewrite(model_file, tmp_path / "old.npz", config=np.array(json.dumps({**config, "newer": 1})))
    old = load(tmp_path / "old.npz").lm.find(Network).config
    assert (old.word_dropout, old.recurrent_dropout) == (0.0, 0.0)


def test_a_file_without_weights_has_the_prior_ones(model_file, tmp_path):
    rewrite(model_file, tmp_path / "old.npz", shares=None)
    np.testing.assert_allclose(load(tmp_path / "old.npz").lm.weights, [[0.7, 0.2, 0.1]] * 5)


def test_a_model_that_has_read_a_text_is_not_written(model, corpus_file, tmp_path):
    with pytest.raises(ModelError, match="adapted to a text is not written: train one on the text with init=MODEL"):
        save(model.adapted([corpus_file]), tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_the_model_it_leads_to_is_replaced(model, tmp_path):
    link = tmp_path / "links" / "latest.npz"
    path = tmp_path / "models" / "model.npz"
    link.parent.mkdir()
    path.parent.mkdir()
    link.symlink_to("../models/model.npz")
    for _ in range(2):  # where nothing is yet, and where a model is
        save(model, link)
        assert str(link.readlink()) == "../models/model.npz"
        assert not path.is_symlink()
        assert rnncli.load(path).predict("Tom", 1) == rnncli.load(link).predict("Tom", 1)
        path.write_bytes(b"PK, an old one")


@pytest.mark.parametrize("name", ["file/model.npz", "n" * 300])
def test_a_place_where_no_model_can_be_written_is_named(model, tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=f"cannot write .*{name}"):
        save(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_model_may_replace_a_model(model_file):
    before = model_file.read_bytes()
    check_writable(model_file, MODEL)
    assert model_file.read_bytes() == before


class Evil:
    """An object that makes a folder beside the target when it is unpickled."""

    def __init__(self, target):
        self.owned = target.with_name("owned")

    def __reduce__(self):
        return (os.mkdir, (str(self.owned),))


def test_the_evil_is_evil(tmp_path):
    pickle.loads(pickle.dumps(Evil(tmp_path / "bad.npz")))
    assert (tmp_path / "owned").exists()


def corrupt(path) -> None:
    """Change a number of the network."""
    data = bytearray(path.read_bytes())
    with np.load(path) as file:
        value = file["embedding.weight"]
    data[data.index(value.tobytes()) + value.nbytes // 2] ^= 0x01
    path.write_bytes(data)


def with_ngrams(source, target, name: str, change) -> None:
    """Copy a model file with a changed array of its n-gram model."""
    with np.load(source) as file:
        rewrite(source, target, **{f"ngram.{name}": change(file[f"ngram.{name}"])})


def with_a_word_twice(source) -> np.ndarray:
    """The vocabulary of a model file, whose last word is another one's double."""
    with np.load(source) as file:
        words = file["vocabulary"].tobytes().split(b"\n")
    return np.frombuffer(b"\n".join([*words[:-1], words[2]]), np.uint8)


def compress(source, target) -> None:
    with np.load(source) as file:
        np.savez_compressed(target, **file)


DAMAGE = {
    "missing": (lambda s, t: None, "cannot read .*: No such file"),
    "folder": (lambda s, t: t.mkdir(), "is a folder: name a model in it"),
    "empty": (lambda s, t: t.write_bytes(b""), "is not a model of rnncli, or was cut short"),
    "text": (lambda s, t: t.write_text("hello"), "is not a model of rnncli"),
    "cut": (lambda s, t: t.write_bytes(s.read_bytes()[:5000]), "is not a model of rnncli, or was cut short"),
    "bit": (lambda s, t: (t.write_bytes(s.read_bytes()), corrupt(t)), "is damaged: the checksum of .* is wrong"),
    "pickle": (lambda s, t: t.write_bytes(pickle.dumps(Evil(t))), "is not a model of rnncli"),
    "object": (
        lambda s, t: rewrite(s, t, extra=np.array([Evil(t)], object)),
        r"an array of '\|O' has no place in a model",
    ),
    "other npz": (lambda s, t: rewrite(s, t, format=None), "is not a model of rnncli: name a file"),
    "newer": (lambda s, t: rewrite(s, t, format=np.array(FORMAT + 1)), "was written by a newer rnncli: upgrade"),
    "format": (lambda s, t: rewrite(s, t, format=np.arange(3)), "is damaged"),
    "json": (lambda s, t: rewrite(s, t, config=np.array("{")), "is damaged"),
    "deep json": (lambda s, t: rewrite(s, t, config=np.array("[" * 100_000)), "is damaged"),
    "list": (lambda s, t: rewrite(s, t, config=np.array("[]")), "is damaged"),
    "no cell": (lambda s, t: rewrite(s, t, config=config_with(s, cell="x")), "is damaged: no cell is called 'x'"),
    "type": (
        lambda s, t: rewrite(s, t, config=config_with(s, layers=1.5)),
        "is damaged: layers is 1.5, and must be a whole",
    ),
    "bool": (
        lambda s, t: rewrite(s, t, config=config_with(s, layers=True)),
        "is damaged: layers is True, and must be a whole",
    ),
    "number for a cell": (
        lambda s, t: rewrite(s, t, config=config_with(s, cell=7)),
        "is damaged: cell is 7, and must be a text",
    ),
    "text for a truth": (
        lambda s, t: rewrite(s, t, config=config_with(s, tied="yes")),
        "is damaged: tied is yes, and must be True or False",
    ),
    "open option": (lambda s, t: rewrite(s, t, config=config_with(s, dropout=None)), "is damaged: dropout is None"),
    "no vocabulary": (
        lambda s, t: rewrite(s, t, config=config_with(s, vocabulary_size=0)),
        "is damaged: vocabulary_size is 0",
    ),
    "layers": (
        lambda s, t: rewrite(s, t, config=config_with(s, layers=10**12)),
        "layers is 1000000000000, and must be a whole number from 1 to 100",
    ),
    "size": (lambda s, t: rewrite(s, t, config=config_with(s, hidden_size=10**5)), "is damaged: .* should be float32"),
    "lacking": (lambda s, t: rewrite(s, t, **{"softmax.bias": None}), "is damaged: it lacks 'softmax.bias'"),
    "shape": (lambda s, t: rewrite(s, t, **{"softmax.bias": np.zeros(3, np.float32)}), "is damaged: softmax.bias is"),
    "nan": (lambda s, t: rewrite(s, t, **{"recurrent.0.bias": np.full(128, np.nan, np.float32)}), "not finite"),
    "words": (lambda s, t: rewrite(s, t, vocabulary=np.zeros(9, np.uint8)), "is damaged: its vocabulary"),
    "bytes": (lambda s, t: rewrite(s, t, vocabulary=np.full(9, 255, np.uint8)), "is damaged"),
    "order": (lambda s, t: rewrite(s, t, config=config_with(s, "ngram_order", 10**9)), "its ngram_order is 1000000000"),
    "longer": (lambda s, t: rewrite(s, t, config=config_with(s, "ngram_order", 6)), "it lacks 'ngram.6.words'"),
    "unigrams": (lambda s, t: with_ngrams(s, t, "unigrams", np.zeros_like), "unigrams is not a distribution"),
    "n-grams": (lambda s, t: with_ngrams(s, t, "3.words", lambda a: a[1:]), "ngram.3.counts is uint8"),
    "no word": (lambda s, t: with_ngrams(s, t, "2.words", lambda a: a | 255), "its n-grams of 2 words make no sense"),
    "order of words": (
        lambda s, t: with_ngrams(s, t, "2.words", np.zeros_like),
        "its n-grams of 2 words make no sense",
    ),
    "never": (lambda s, t: with_ngrams(s, t, "2.counts", np.zeros_like), "its n-grams of 2 words make no sense"),
    "starts": (lambda s, t: with_ngrams(s, t, "2.starts", lambda a: a[::-1]), "its n-grams of 2 words make no sense"),
    "late start": (
        lambda s, t: with_ngrams(s, t, "2.starts", lambda a: np.concatenate([a[1:2], a[1:]])),
        "its n-grams of 2 words make no sense",
    ),
    "words twice": (
        lambda s, t: rewrite(s, t, vocabulary=with_a_word_twice(s)),
        "is damaged: its vocabulary is not one of .* different words",
    ),
    "compressed": (lambda s, t: compress(s, t), "is not a model of rnncli: it is compressed"),
    "far starts": (
        lambda s, t: with_ngrams(
            s, t, "2.starts", lambda a: np.concatenate([a[:1], np.full_like(a[1:-1], 200), a[-1:]])
        ),
        "its n-grams of 2 words make no sense",
    ),
    "signed": (lambda s, t: with_ngrams(s, t, "2.rest", lambda a: a.astype(int)), "ngram.2.rest is int64"),
    "wide": (lambda s, t: with_ngrams(s, t, "2.starts", lambda a: a.astype(np.uint64)), "ngram.2.starts is uint64"),
    "no sum": (lambda s, t: with_ngrams(s, t, "unigrams", lambda a: a * 2), "unigrams is not a distribution"),
    "huge cache": (
        lambda s, t: rewrite(s, t, config=config_with(s, "cache", size=10**30)),
        "is damaged: cache_size is 10+, and must be from 1",
    ),
    "no epoch": (
        lambda s, t: rewrite(
            s, t, about=np.array('{"history": [{"epoch": null, "train_perplexity": 2, "valid_perplexity": 2}]}')
        ),
        "its epoch is None",
    ),
    "discounts": (lambda s, t: with_ngrams(s, t, "2.discounts", lambda a: a + 9), "ngram.2.discounts are no discounts"),
    "no discount": (lambda s, t: with_ngrams(s, t, "2.discounts", np.zeros_like), "2.discounts are no discounts"),
    "cache": (
        lambda s, t: rewrite(s, t, config=config_with(s, "cache", sharpness=-1.0)),
        "its cache's sharpness is -1",
    ),
    "cache size": (lambda s, t: rewrite(s, t, config=config_with(s, "cache", size="big")), "its size is 'big'"),
    "shares": (lambda s, t: rewrite(s, t, shares=np.ones((5, 3))), "its shares do not sum to one"),
    "negative share": (
        lambda s, t: rewrite(s, t, shares=np.array([[1.5, -0.5, 0]] * 5)),
        "its shares do not sum to one",
    ),
    "no network": (lambda s, t: rewrite(s, t, shares=np.array([[0.0, 1, 0]] * 5)), "its shares do not sum to one"),
    "few shares": (lambda s, t: rewrite(s, t, shares=np.ones((1, 3))), "shares is float64"),
    "about": (lambda s, t: rewrite(s, t, about=np.array("3")), "is damaged"),
    "section": (lambda s, t: rewrite(s, t, about=np.array('{"corpus": 3}')), "makes no sense"),
    "history": (lambda s, t: rewrite(s, t, about=np.array('{"history": [{"epoch": "x"}]}')), "its epoch is 'x'"),
    "huge": (
        lambda s, t: rewrite(s, t, about=np.array(f'{{"history": [{{"epoch": 1{"0" * 400}}}]}}')),
        "its epoch is 1",
    ),
    "overflow": (lambda s, t: rewrite(s, t, about=np.array('{"corpus": {"train_words": 1e999}}')), "holds 1e999"),
    "gap": (lambda s, t: rewrite(s, t, about=np.array('{"history": [{"epoch": 1}]}')), "it lacks 'train_perplexity'"),
    "constant": (lambda s, t: rewrite(s, t, about=np.array('{"best_valid_perplexity": NaN}')), "holds NaN"),
    "unit": (lambda s, t: rewrite(s, t, config=config_with(s, "unit", "page")), "its unit is 'page'"),
    "infinite format": (lambda s, t: rewrite(s, t, format=np.array(np.inf)), "its format is not a number"),
    "odd text": (lambda s, t: rewrite(s, t, config=np.array(7)), "numbers where text should be"),
    "large": (lambda s, t: rewrite(s, t, **{"recurrent.0.bias": np.full(128, 3e38, np.float32)}), "or huge"),
    "version": (lambda s, t: rewrite(s, t, about=np.array('{"history": 7}')), "is damaged"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_foreign_newer_or_hostile_file_gives_one_clear_line(model_file, tmp_path, damage, message):
    path = tmp_path / "bad.npz"
    damage(model_file, path)
    with pytest.raises(ModelError, match=message) as caught:
        load(path)
    assert "bad.npz" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "owned").exists()


def test_a_compressed_file_is_refused_before_it_can_fill_the_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("format.npy", b"\0" * 10_000_000)
    with pytest.raises(ModelError, match="it is compressed"):
        load(tmp_path / "bomb.npz")


def test_an_array_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9999), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "liar.npz", "w") as archive:
        archive.writestr("format.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ModelError, match="not as long as it says"):
        load(tmp_path / "liar.npz")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_file_with_any_bytes_changed_gives_a_model_or_an_error_of_ours(model_file, tmp_path, data):
    content = bytearray(model_file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "any.npz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        message = load(path).lm.find(Network).config.cell
    except RnncliError as error:
        message = str(error)
    assert message in ("elman", "gru", "lstm") or "any.npz" in message


def test_arrays_are_views_of_the_file(model_file):
    with np.load(model_file) as file:
        assert set(file.files) > {"format", "config", "vocabulary", "embedding.weight", "ngram.5.words"}
    for checked in (True, False):
        model = load(model_file, checked=checked)
        for array in (model.lm.find(Network).parameters["embedding.weight"].value, model.ngram.levels[0].words):
            assert not array.flags.owndata
            assert not array.flags.writeable
            assert array.ctypes.data % 64 == 0


@pytest.mark.parametrize("damage", [damage for damage, _ in DAMAGE.values()], ids=list(DAMAGE))
def test_damage_that_is_not_checked_for_does_no_harm_or_is_reported_when_it_is_met(model_file, tmp_path, damage):
    path = tmp_path / "bad.npz"
    damage(model_file, path)
    try:
        model = load(path, checked=False)
        ids, _ = model.encode("Tom is good at chess, so he will not lose more. Mary")
        with np.errstate(all="ignore"):
            nll, state = model.lm.score(ids, model.lm.initial_state(1))
            p = model.lm.distribution(model.lm.context(state))[0]
        assert nll.shape == ids.shape
        assert p.shape == (1, len(model.vocabulary))
    except ModelError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("damage", ["bit", "words twice"])
def test_without_checks_a_file_is_not_read_to_its_end(model_file, tmp_path, damage):
    DAMAGE[damage][0](model_file, tmp_path / "bad.npz")
    assert load(tmp_path / "bad.npz", checked=False).lm.names == ("network", "ngram", "cache")


@pytest.mark.parametrize("damage", ["no word", "never"])
def test_ngrams_that_make_no_sense_are_reported_by_everything_that_uses_them(model, model_file, tmp_path, damage):
    DAMAGE[damage][0](model_file, tmp_path / "bad.npz")
    lm = load(tmp_path / "bad.npz", checked=False).lm
    ids, _ = model.encode("Tom is")
    for use in (
        lambda: lm.score(ids, lm.initial_state(1)),
        lambda: lm.distribution(lm.context(lm.initial_state(1))),
        lambda: lm.examine(ids, lm.advance(ids, lm.initial_state(1))[0]),
    ):
        with pytest.raises(ModelError, match="the model's n-grams make no sense"):
            use()


def test_values_that_a_file_may_not_hold_are_not_written(model, tmp_path):
    network = model.lm.find(Network)
    values = {name: value.copy() for name, value in network.values().items()}
    values["softmax.bias"][3] = 2e6
    wild = replace(model, lm=Mixture([Network(network.config, values)], len(model.vocabulary)))
    with pytest.raises(ModelError, match="holds values that are not finite, or huge"):
        save(wild, tmp_path / "wild.npz")
    assert not list(tmp_path.iterdir())
