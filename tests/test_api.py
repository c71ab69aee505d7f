"""Use from Python."""

import subprocess
import sys

import pytest

import rnncli


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


def test_all_public_names_are_there():
    for name in rnncli.__all__:
        assert getattr(rnncli, name) is not None
    assert set(rnncli.__all__) <= set(dir(rnncli))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = rnncli.nonsense


def test_importing_the_package_does_not_wait_for_numpy():
    code = "import rnncli, sys; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
