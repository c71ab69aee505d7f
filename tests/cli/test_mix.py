"""rnncli mix"""

import rnncli


def test_two_models_become_one(invoke, model, model_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("mix", model_file, model_file)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "models/mix.npz\n", "")
    both = rnncli.load("models/mix.npz")
    assert both.vocabulary.words == model.vocabulary.words
    (best, *_), (expected, *_) = both.predict("Tom is", 1), model.predict("Tom is", 1)
    assert best.word == expected.word
    parts = invoke("predict", "Tom is", "-n", 1, "--parts", "-m", "models/mix.npz").stdout.split("\t")
    assert len(parts) == 4
    result = invoke("mix", model_file, "models/mix.npz", "-o", "other.npz")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the second of the models is a mix itself" in " ".join(result.stderr.split())
    assert not (tmp_path / "other.npz").exists()
