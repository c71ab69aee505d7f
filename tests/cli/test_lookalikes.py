"""Texts and prompts with characters that are invisible, or look like others: from the file to the answer."""

import pytest

import rnncli

SMALL = {"hidden_size": 8, "epochs": 2, "threads": 1, "valid_fraction": 0.2}
CURLY = ["“I don’t know,” she said.", "It’s the baker’s ﬁrst ‘loaf’.", "Ｌet’s say we won’t eat."]


@pytest.fixture(scope="module")
def curly_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curly")
    (folder / "phone.txt").write_text("\n".join(CURLY * 8) + "\n", encoding="utf-8")
    rnncli.save(rnncli.train([folder / "phone.txt"], **SMALL), folder / "phone.npz")
    return folder / "phone.npz"


@pytest.mark.parametrize(
    ("curly", "straight"),
    [("“I don’t", "\"I don't"), ("It’s the ﬁrst", "It's the first"), ("Let’\xads \u200esay", "Let's say"), ("Ｔ", "T")],
)
@pytest.mark.parametrize("options", [["-n", "0"], ["-n", "0", "--complete"]])
def test_prompts_that_look_alike_have_the_same_answer(invoke, curly_model, curly, straight, options):
    answers = [invoke("predict", *options, "-m", curly_model, prompt).stdout_bytes for prompt in (curly, straight)]
    assert answers[0] == answers[1] != b""


@pytest.mark.parametrize(
    ("prompt", "word"), [("I don’", "don’t"), ("I don'", "don’t"), ("we wont", "won’t"), ("Firs", "First")]
)
def test_a_word_is_completed_whatever_its_apostrophe_and_capital(invoke, curly_model, prompt, word):
    result = invoke("predict", "--complete", "-n", "1", "--format", "tsv", "-m", curly_model, prompt)
    assert result.stdout == f"{word}\t1\n"


def test_a_model_of_an_earlier_version_scores_curly_and_straight_lines_alike(invoke):
    lines = "It’s late, and I can’t “sleep”.\nIt's late, and I can't \"sleep\".\n"
    scores = invoke("score", "-m", "bundled", "--format", "tsv", input=lines).stdout.splitlines()
    curly, straight = (line.split("\t")[:-1] for line in scores)
    assert curly == straight


@pytest.mark.parametrize("tokenizer", ["word", "char"])
@pytest.mark.parametrize(
    "line",
    ["The ov\xaden is hot to\xadday.", "The\u200boven is\u200b hot today\u200b.", "\ufeffThe oven is\u2060 hot today."],
)
def test_what_nobody_sees_is_not_learned(tmp_path, tokenizer, line):
    texts = {"seen": "The oven is hot today.\n" * 12, "unseen": f"{line}\n" * 12}
    words = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        words[name] = rnncli.train([tmp_path / name], tokenizer=tokenizer, **SMALL).vocabulary.words
    assert words["unseen"] == words["seen"]


def test_train_tells_of_marks_and_learns_one_end_for_each_line(invoke, tmp_path):
    (tmp_path / "text.txt").write_text("<s> the oven is hot </s>\n" * 20, encoding="utf-8")
    model = tmp_path / "model.npz"
    options = ["--tokenizer", "whitespace", "--hidden-size", 4, "--epochs", 1, "-o", model]
    result = invoke("train", tmp_path / "text.txt", *options, "-q")
    assert "Warning: the text holds </s> 20 times, <s> 20 times: at the beginning or end" in " ".join(
        result.stderr.split()
    )
    assert rnncli.load(model).vocabulary.words == ["<eos>", "<unk>", "the", "oven", "is", "hot"]
    ordinary = invoke("train", tmp_path / "text.txt", *options[2:], "-q")
    assert "a tokenized corpus needs --tokenizer whitespace" in " ".join(ordinary.stderr.split())
