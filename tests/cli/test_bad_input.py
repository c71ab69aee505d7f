"""Whatever comes in, the program ends with a status of its own, and says why in a line."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

arbitrary = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


def check_ends_well(result) -> None:
    assert result.exit_code in (0, 1, 2)
    assert isinstance(result.exception, SystemExit | None)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert bool(errors) == (result.exit_code != 0)


@arbitrary
@given(st.binary())
def test_any_bytes_may_come_as_prompts(invoke, model_file, data):
    check_ends_well(invoke("predict", "-n", "1", "-m", model_file, input=data))


@arbitrary
@given(st.text(st.characters(exclude_characters="\0")).filter(lambda text: text != "-"))  # that is standard input
def test_any_text_may_be_a_prompt(invoke, model_file, text):
    result = invoke("predict", "-n", "0", "-m", model_file, "--", text)
    check_ends_well(result)
    assert math.isclose(sum(float(line.split("\t")[1]) for line in result.stdout.splitlines()), 1, abs_tol=1e-4)
    check_ends_well(invoke("generate", "-n", "2", "-m", model_file, "--", text))


@arbitrary
@given(st.binary())
def test_any_bytes_may_be_a_corpus(invoke, tmp_path, data):
    (tmp_path / "corpus").write_bytes(data)
    options = ("--hidden-size", "2", "--epochs", "1", "--encoding", "latin-1", "-o", tmp_path / "model.npz")
    result = invoke("train", tmp_path / "corpus", *options)
    check_ends_well(result)
    if result.exit_code == 0:
        check_ends_well(invoke("predict", "-m", tmp_path / "model.npz", "a"))
        check_ends_well(invoke("evaluate", "-m", tmp_path / "model.npz", "--encoding", "latin-1", tmp_path / "corpus"))


@arbitrary
@given(st.binary())
def test_any_bytes_may_be_a_model(invoke, tmp_path, data):
    (tmp_path / "model.npz").write_bytes(data)
    for command in ("predict", "generate", "info"):
        result = invoke(command, "-m", tmp_path / "model.npz", input="")
        check_ends_well(result)
        assert result.exit_code == 1


@arbitrary
@given(
    st.lists(st.sampled_from(["-n", "-1", "0", "x", "--format", "tsv", "--model", "", "--seed", "--top-k", "predict"]))
)
def test_any_arguments_end_well(invoke, tmp_path, arguments):
    for command in ("predict", "generate", "evaluate", "info", "train"):
        check_ends_well(invoke(command, *arguments, "-m", tmp_path / "none.npz", input=""))
