"""Files as people have them: what `train` reads, says of it, and remembers."""

import json
from pathlib import Path

import pytest

import rnncli
from rnncli.cli.texts import format_bytes, what_was_read
from rnncli.text.corpus import TextFacts
from rnncli.text.reading import FileRead, TextsRead

TINY = ("--hidden-size", 8, "--epochs", 1, "--threads", 1)
NOT_UTF8 = "it is not UTF-8 text (byte 0xe9 at offset 3)"
CUE = "{0}\n00:00:0{0},000 --> 00:00:0{0},900\n<i>It rains</i>\nagain.\n\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trained(invoke):
    """Train a small model: what is said, and the model."""

    def run(*arguments):
        result = invoke("train", *arguments, *TINY, "-o", "model.npz")
        assert result.exit_code == 0, result.stderr
        return result.stderr.splitlines(), rnncli.load("model.npz")

    return run


def words(model) -> set[str]:
    return set(model.vocabulary.words[2:])


def test_train_begins_with_a_line_that_says_what_it_read(trained):
    Path("a.srt").write_text("".join(map(CUE.format, range(1, 9))))
    Path("b.txt").write_text("We bake bread.\nYou drink tea.\n")
    said, model = trained("a.srt", "b.txt")
    read = "Read 2 files, 478 bytes: 40 words, 10 distinct, 0.0% unknown; 10 lines"
    assert said[0] == f"{read} (subtitles, no line goes on in the next)"
    assert words(model) >= {"It", "rains", "again", "bake"}
    said, model = trained("a.srt", "--tokenizer", "char")
    assert said[0] == "Read a.srt, 448 bytes: 120 characters, 10 distinct, 0.0% unknown; 8 lines (subtitles)"
    said, model = trained("a.srt", "--as", "text", "--unit", "line")
    assert said[0].startswith("Read a.srt, 448 bytes: ")
    assert said[0].endswith("; 39 lines")


def test_the_line_tells_of_paragraphs_and_of_lines_and_of_the_commonest_reasons():
    files = [
        FileRead("a", "paragraph", "hard-wrapped at 72", 1_200_000, 12, 900),
        FileRead("b", "paragraph", "Markdown", 3000, 5, 40),
        FileRead("c", "paragraph", "HTML", 10, 1, 30),
        FileRead("d", "line", "few words", 10, 1, 30),
        FileRead("e", "line", "a chat", 0, 0, 0),
    ]
    assert what_was_read(TextFacts(TextsRead(files), 210_345, 12_034)) == (
        "Read 5 files, 1.2 MB: 210,345 words, 12,034 distinct, 0.0% unknown;"
        " 18 paragraphs (hard-wrapped at 72, Markdown, ...), 1 line (few words)"
    )


@pytest.mark.parametrize(
    ("count", "written"),
    [(1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12 kB"), (999_600, "1.0 MB"), (3.2e12, "3,200 GB")],
)
def test_an_amount_of_bytes_is_short(count, written):
    assert format_bytes(count) == written


def test_lines_that_end_in_a_carriage_return_alone_are_lines(invoke, trained):
    Path("mac.txt").write_bytes(b"We bake bread.\rYou drink tea.\r" * 10)
    assert trained("mac.txt")[0][0].endswith("; 20 lines (lines of up to 14 characters)")
    result = invoke("score", "mac.txt", "-m", "model.npz")
    assert len(result.stdout.splitlines()) == 20
    with open("mac.txt", "rb") as text:
        assert len(invoke("predict", "-m", "model.npz", input=text.read()).stdout.split("\n\n")) == 20


def test_a_document_that_was_saved_as_utf_16_is_read(trained):
    Path("doc.txt").write_bytes("Über die Brücke.\r\nIn die Stadt.\r\n".encode("utf-16"))
    assert words(trained("doc.txt", "--min-count", 1, "--valid", "doc.txt")[1]) >= {"Über", "Brücke", "Stadt"}


def test_utf_16_without_its_mark_is_an_error_that_names_it(invoke):
    Path("doc.txt").write_bytes("Über die Brücke.\r\n".encode("utf-16-le"))
    result = invoke("train", "doc.txt")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: doc.txt is not UTF-8 text, but probably UTF-16-LE: try --encoding utf-16-le\n",
    )


def test_a_model_is_no_text_to_train_on(invoke, model_file):
    Path("old.npz").write_bytes(model_file.read_bytes())
    result = invoke("train", "old.npz")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: old.npz is a model, not a text: to go on from it, name it with --init old.npz\n",
    )


@pytest.fixture
def folder():
    Path("notes").mkdir()
    Path("notes/a.txt").write_text("We bake bread.\nYou drink tea.\n" * 5)
    Path("notes/b.txt").write_bytes(b"caf\xe9\n")
    Path("notes/c.png").write_bytes(b"\x89PNG\0")
    return "notes"


def test_a_folder_says_what_it_leaves_out_and_why(invoke, trained, folder):
    left_out = [
        f"Warning: left out {Path('notes/c.png')}: it is no text",
        f"Warning: left out {Path('notes/b.txt')}: {NOT_UTF8}: name its encoding, such as --encoding latin-1",
    ]
    said, _ = trained(folder)
    assert said[0].startswith("Read a.txt, 150 bytes: 40 words")
    assert said[1:3] == left_out
    assert invoke("train", folder, *TINY, "-q", "--valid", folder).stderr.splitlines() == left_out * 2
    few = "Warning: only 50 words were measured, which tell little"
    assert invoke("evaluate", folder, "-m", "model.npz").stderr.splitlines() == [*left_out, few]
    assert invoke("predict", "We", "--adapt", folder, "-m", "model.npz").stderr.splitlines()[:2] == left_out


def test_a_strict_training_stops_at_a_file_of_a_folder_that_cannot_be_read(invoke, folder):
    result = invoke("train", folder, "--strict")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"Error: {Path('notes/b.txt')} is not UTF-8 text" in result.stderr


def test_a_file_of_a_folder_without_what_is_to_be_read_is_left_out_unless_reading_is_strict(invoke, trained):
    Path("notes").mkdir()
    Path("notes/a.csv").write_text("id,body\n1,We bake bread.\n2,You drink tea.\n")
    Path("notes/b.csv").write_text("id,text\n1,She eats soup.\n")
    said, model = trained("notes", "--column", "body", "--min-count", 1, "--valid", "notes/a.csv")
    assert said[1] == f"Warning: left out {Path('notes/b.csv')}: it has no column 'body': its columns are id, text"
    assert words(model) == {"We", "bake", "bread", ".", "You", "drink", "tea"}
    refused = invoke("train", "notes", "--column", "body", "--strict")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith(f"Error: {Path('notes/b.csv')} has no column 'body'")
    Path("notes/a.csv").write_text("1\tWe bake bread.\n" * 9)
    said, _ = trained("notes", "--field", 2)
    assert said[1].startswith(f"Warning: left out {Path('notes/b.csv')}: line 1: there is no field 2 in 'id,text'")


@pytest.mark.parametrize(
    ("name", "text", "option", "units"),
    [
        ("t.tsv", "1\tWe bake bread.\n2\tYou drink tea.\n", ("--field", 2), 2),
        ("t.csv", 'id,body\n1,"We bake\nbread."\n2,You drink tea.\n', ("--column", "body"), 2),
        (
            "t.txt",
            "[31.12.23, 22:15:03] Ann: We bake\nbread.\n[31.12.23, 22:16:03] Bob: You drink tea.\n",
            ("--chat",),
            2,
        ),
        ("t.dat", "We bake\n bread.\n\n<!-- x -->\nYou *drink* tea.", ("--as", "markdown"), 2),
    ],
)
def test_a_model_remembers_what_is_read_of_a_file(invoke, trained, name, text, option, units):
    Path(name).write_text(text)
    said, model = trained(name, *option, "--min-count", 1, "--valid", name)
    assert f"8 words, 7 distinct, 0.0% unknown; {units} " in said[0]
    assert words(model) == {"We", "bake", "bread", ".", "You", "drink", "tea"}
    result = invoke("evaluate", name, "-m", "model.npz", "--format", "jsonl")
    assert json.loads(result.stdout)["words"] == 8 + units


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), None),
        (("--field", 2), "field 2"),
        (("--column", "body"), "column body"),
        (("--chat",), "chat"),
        (("--as", "markdown"), "as markdown"),
        (("--unit", "line"), "by line, stanzas"),
    ],
)
def test_info_tells_how_a_model_reads_texts(invoke, trained, options, told):
    Path("t.txt").write_text("[22:15] <body>\ttea,body\n[22:16] <ann>\tWe bake bread.\n\n" * 9)
    if "--column" in options:
        Path("t.txt").write_text("id,body\n1,We bake bread.\n2,You drink tea.\n")
    trained("t.txt", *options)
    record = json.loads(invoke("info", "-m", "model.npz", "--format", "jsonl").stdout)
    assert record.get("reads") == told
    for shape in ("tsv", "table"):
        shown = invoke("info", "-m", "model.npz", "--format", shape).stdout.splitlines()
        assert [row.split()[1:] for row in shown if row.split()[:1] == ["reads"]] == ([told.split()] if told else [])


@pytest.mark.parametrize(
    ("name", "line", "hint"),
    [
        ("a.csv", "1,tea", "a.csv looks like a table, and is read line by line: to read one column, add --column NAME"),
        ("a.tsv", "1\ttea", "a.tsv looks like a table, and is read line by line: to read one field, add --field 2"),
        (
            "a.txt",
            "[22:15] <ann> tea",
            "a.txt looks like an exported chat, and is read line by line: to read its messages, add --chat",
        ),
    ],
)
def test_a_table_and_a_chat_that_are_read_as_they_are_are_told(trained, name, line, hint):
    Path(name).write_text(f"{line}\n" * 9)
    assert f"Warning: {hint}" in trained(name)[0]
    assert "Warning: " + hint not in trained(name, "--as", "text")[0]


def test_kinds_of_text_that_do_not_go_together_are_refused_and_one_of_the_environment_gives_way(
    invoke, trained, monkeypatch
):
    Path("t.tsv").write_text("1\tWe bake bread.\n2\tYou drink tea.\n")
    result = invoke("train", "t.tsv", "--field", 2, "--chat")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: --chat and --field 2 do not go together: choose one of them\n")
    monkeypatch.setenv("RNNCLI_TRAIN_COLUMN", "body")
    monkeypatch.setenv("RNNCLI_TRAIN_AS", "html")
    assert "8 words" in trained("t.tsv", "--field", 2)[0][0]


def test_a_training_that_goes_on_from_a_model_reads_as_that_did_unless_told_otherwise(invoke, trained):
    chat = "[31.12.23, 22:15:03] Ann: We bake bread.\n[31.12.23, 22:16:03] Bob: You drink tea.\n"
    Path("chat.txt").write_text(chat * 3)
    _, model = trained("chat.txt", "--chat", "--min-count", 1)
    more = ("--init", "model.npz", *TINY[2:], "--min-count", 1, "-o", "more.npz")
    assert "24 words, 7 distinct, 0.0% unknown; 6 lines (a chat)" in invoke("train", "chat.txt", *more).stderr
    tuned = rnncli.load("more.npz")
    assert words(tuned) == words(model)
    assert tuned.about["reading"] == model.about["reading"]
    start = rnncli.start_training("chat.txt", init=model, epochs=1, min_count=1)
    assert "Ann" not in start.corpus.vocabulary.words
    assert invoke("train", "chat.txt", *more, "--as", "text").exit_code == 0
    assert "Ann" in words(rnncli.load("more.npz"))
    Path("plain.txt").write_text("She eats soup.\n" * 5)  # in which there is no message
    assert invoke("train", "plain.txt", *more).exit_code == 0


def test_stanzas_are_learned_and_written_where_lines_are_asked_for(invoke, trained):
    Path("poem.txt").write_text("the moon is up\nthe cat is out\n\n" * 30)
    options = ("--epochs", 160, "--hidden-size", 32, "--patience", 160, "--dropout", 0)
    poem = "the moon is up\nthe cat is out\n\nthe moon is up\nthe cat is out\n"
    for unit, text in (("line", poem), ("auto", poem.replace("\n\n", "\n"))):
        assert invoke("train", "poem.txt", "--unit", unit, *options, "-o", f"{unit}.npz").exit_code == 0
        assert rnncli.load(f"{unit}.npz").generate(words=16, temperature=0) == text.rstrip("\n")


def test_a_model_goes_on_with_the_way_in_which_units_are_found(invoke, trained, model_file):
    assert rnncli.load(model_file).about["reading"]["unit"] == "auto"
    prose = (
        "It was a cold day in the garden, and the clock on the\nwall was striking four. Nobody had heard it\nall day.\n"
    )
    Path("prose.txt").write_text((prose + "\n") * 4)
    said, _ = trained("prose.txt")
    assert said[0].endswith("; 4 paragraphs (wrapped at up to 53)")
    result = invoke("train", "prose.txt", "--init", model_file, "--epochs", 1, "-o", "tuned.npz")
    assert result.stderr.splitlines()[0].endswith("; 4 paragraphs (wrapped at up to 53)")
    assert rnncli.load("tuned.npz").unit == "paragraph"
