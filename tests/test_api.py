"""Use from Python."""

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest

import rnncli
from rnncli.model import Model
from rnncli.tasks.explain import Explanation
from rnncli.tasks.suggest import Suggester

PROMPT = "Tom is not good at science, so he will"
TASKS = {
    "predict": lambda model, text: model.predict(PROMPT, 3, among=["study", "play"]),
    "complete": lambda model, text: model.complete("Tom is not go", 3),
    "fill": lambda model, text: model.fill("Tom is not ___ at science.", 3),
    "explain": lambda model, text: model.explain(PROMPT, "study").word,
    "suggester": lambda model, text: model.suggester(3).suggest("Tom is not go"),
    "generate": lambda model, text: model.generate("Tom is", words=5, seed=1, top_k=3, stop=["more"]),
    "score": lambda model, text: model.score(["Tom is good.", "Mary plays"]),
    "evaluate": lambda model, text: model.evaluate(text, dynamic=True),
    "context_curve": lambda model, text: model.context_curve([text]),
    "adapted": lambda model, text: model.adapted(text).predict(PROMPT, 3),
    "learned": lambda model, text: model.learned(text).predict(PROMPT, 3),
    "forgotten": lambda model, text: model.learned(text).forgotten().predict(PROMPT, 3),
    "mixed": lambda model, text: model.mixed(model).predict(PROMPT, 3),
    "compressed": lambda model, text: model.compressed(bits=8, ngrams=100).predict(PROMPT, 3),
}


@pytest.fixture(scope="module")
def loaded(model_file):
    return rnncli.load(model_file)


def test_train_predict_generate_save_and_load(corpus_file, tmp_path, capfd):
    model = rnncli.train([corpus_file], hidden_size=8, epochs=1)
    rnncli.save(model, tmp_path / "model.npz")
    loaded = rnncli.load(tmp_path / "model.npz")
    for word, probability in loaded.predict("Tom is", n=5):
        assert isinstance(word, str)
        assert 0 < probability < 1
    assert len(loaded.predict("Tom is", n=5)) == 5
    assert loaded.generate("Tom is", words=3, seed=1) == model.generate("Tom is", words=3, seed=1)
    assert loaded.evaluate([corpus_file]).words == 2784
    assert capfd.readouterr() == ("", "")  # the library never prints


def test_every_task_is_a_method_of_a_model():
    methods = {
        name
        for name, member in vars(rnncli.Predictor).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert methods == set(TASKS)


@pytest.fixture
def short_text(corpus_file, tmp_path):
    """A text that is soon read."""
    path = tmp_path / "short.txt"
    path.write_text("".join(corpus_file.read_text().splitlines(keepends=True)[:12]))
    return path


@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_the_same_for_a_trained_and_for_a_loaded_model(model, loaded, short_text, task):
    answer = TASKS[task](loaded, short_text)
    assert answer
    assert answer == TASKS[task](model, short_text)


@pytest.mark.parametrize("way", ["saved and loaded", "given its methods"])
def test_a_model_keeps_how_its_corpus_writes_words_and_marks(noted_model, noted_file, tmp_path, way):
    if way == "saved and loaded":
        rnncli.save(noted_model, tmp_path / "noted.npz")
        model = rnncli.load(tmp_path / "noted.npz")
    else:
        model = rnncli.Predictor.of(Model(*(getattr(noted_model, field.name) for field in fields(Model))))
    assert model.detokenizer == noted_model.detokenizer
    assert model.detokenize(["The", "cat's", "toy", "costs", "5", "€", "."]) == "The cat’s toy costs 5€."
    for line in noted_file.read_text(encoding="utf-8").splitlines()[:8]:
        assert model.detokenize(map(model.vocabulary.word, model.encode(line)[0][:, 0].tolist())) == line
        assert model.score(line) == noted_model.score(line)
    for prompt in ("The", "The cat slept", "The cat slept--", "The cat’s toy costs"):
        assert model.predict(prompt, 0) == noted_model.predict(prompt, 0)
        assert model.fill(f"{prompt} ___ left", 0) == noted_model.fill(f"{prompt} ___ left", 0)
        assert model.generate(prompt, 20, seed=1) == noted_model.generate(prompt, 20, seed=1)
    assert model.evaluate(noted_file) == noted_model.evaluate(noted_file)


def test_the_tasks_give_what_they_are_asked_for(loaded, short_text):
    assert [word for word, _ in loaded.predict(PROMPT, 2, among=["play", "study"])] == ["study", "play"]
    assert loaded.complete("Tom is not go", 1)[0].word == "good"
    assert loaded.fill("Tom is not ___ at science.", 1)[0].word == "good"
    assert isinstance(loaded.explain(PROMPT), Explanation)
    assert isinstance(loaded.suggester(), Suggester)
    assert loaded.generate("Tom is", words=4, seed=1, temperature=0) == " good at science,"
    likely, unlikely = loaded.score(["Tom is good at science.", "science at good is Tom."])
    assert likely.log_probability > unlikely.log_probability
    assert loaded.score("Tom is good.") == loaded.score(["Tom is good."])
    adapted = loaded.adapted(short_text)
    assert isinstance(adapted, rnncli.Predictor)
    assert adapted.about["adapted_to"]["unknown_words"] == 0
    assert "adapted_to" not in loaded.about


@pytest.mark.parametrize("task", TASKS)
def test_a_method_never_swallows_an_argument_that_it_does_not_know(loaded, task):
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        getattr(loaded, task)("Tom", nonsense=1)


@pytest.mark.parametrize("function", ["load", "save"])
def test_load_and_save_refuse_an_argument_that_they_do_not_know(function):
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        getattr(rnncli, function)("model.npz", nonsense=1)


def test_a_training_can_be_watched_and_ended_early(corpus_file):
    trainer = rnncli.start_training(corpus_file, hidden_size=8, epochs=5, bptt=10)
    fractions = []
    for progress in trainer.run():
        fractions.append(progress.fraction)
        if progress.report:
            break
    assert fractions == sorted(fractions)
    assert fractions[-1] == 0.2
    assert progress.report.valid_perplexity == trainer.state.best.perplexity
    model = trainer.best()
    assert isinstance(model, rnncli.Predictor)
    assert len(model.predict("Tom is", n=3)) == 3
    assert [report["epoch"] for report in model.about["history"]] == [1]


def test_all_public_names_are_there():
    for name in rnncli.__all__:
        assert getattr(rnncli, name) is not None
    assert set(rnncli.__all__) <= set(dir(rnncli))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = rnncli.nonsense


def test_importing_the_package_does_not_wait_for_numpy():
    code = "import rnncli, sys; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
