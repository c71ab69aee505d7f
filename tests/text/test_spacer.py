import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.text.annotation import JOINER, SPACE, annotated, can_be_annotated, parts, plain
from rnncli.text.detokenizer import Detokenizer
from rnncli.text.folding import cleaned, folded
from rnncli.text.spacer import Spacer, noted_tokens
from rnncli.text.spacing import annotate, learn
from rnncli.text.tokenizers import TOKENIZERS, Segments, Tokenizer
from rnncli.text.vocabulary import EOS, EOS_ID, Tokens, Vocabulary

WORD = Tokenizer("word", fold=True)
HOSTILE = b'{"rules": [%b' + b", []" * 9 + b'], "forms": %b}'
UNFOLDED = Tokenizer("word")  # of models of earlier versions


def written(tokenizer, tokens, detokenizer=None):
    return "".join(Spacer(detokenizer or Detokenizer(), tokenizer).write(tokens))


def tokens_of(lines):
    return Tokens.from_segments(map(WORD.segment, lines))


def known_to(vocabulary, tokens):
    """The words of each unit, as a model with this vocabulary knows them."""
    words = [vocabulary.word(number) for number in vocabulary.encode(tokens)]
    units = [[]]
    for word in words:
        if word == EOS:
            units.append([])
        else:
            units[-1].append(word)
    return units[:-1]


def after_learning(lines, again=None):
    """Learn from some lines, and write the tokens of others."""
    tokens = tokens_of(lines)
    detokenizer = learn(tokens)
    vocabulary = Vocabulary.from_tokens(annotate(tokens, detokenizer))
    others = annotate(tokens_of(lines if again is None else again), detokenizer)
    return [written(WORD, unit, detokenizer) for unit in known_to(vocabulary, others)]


@pytest.mark.parametrize(
    "text",
    [
        "science, so he won't (really) go.",
        'He said "yes" and "no", twice.',
        "The dogs' bones [all of them]; it's 5–6% of $3,000: ok?",
        "and/or, see https://a.org/b.",
        "Wait... what?! She’s here.",
        "“Quoted” words—and dashes - of two kinds.",
        "日本語のテキスト、です。",
        "¿Qué? ¡Sí! «bonjour»",
        "a 👍🏽 b",
        "5 - 3 = 2 -- so they say",
        "He said 'yes'.",
        "He says 'hello' now, and the dogs' bones are 'there'.",
        "He said „Guten Tag“, and left.",
        "In file.txt, see :) and C++ too.",
    ],
)
def test_text_is_written_as_most_languages_write_where_nothing_was_learned(text):
    assert written(UNFOLDED, UNFOLDED.tokenize(text)) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("science , so he wo n't ( really ) go .", "science, so he won't (really) go."),
        ("the company 's $ N million , viewers ' opinions", "the company's $N million, viewers' opinions"),
        ("a role @-@ playing game of 3 @,@ 000 and 1 @.@ 5", "a role-playing game of 3,000 and 1.5"),
    ],
)
def test_prepared_corpora_print_as_people_write_too(tokens, text):
    tokenizer = Tokenizer("whitespace")
    assert written(tokenizer, tokenizer.tokenize(tokens)) == text


@given(st.text())
def test_characters_read_back_are_the_text_itself(text):
    tokenizer = Tokenizer("char")
    assert written(tokenizer, tokenizer.tokenize(text)) == unicodedata.normalize("NFC", cleaned(text))


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1)), st.sampled_from([*TOKENIZERS]))
def test_any_tokens_can_be_written_and_none_is_lost(tokens, kind):
    text = written(Tokenizer(kind), tokens)
    joints = {"@-@": "-", "@,@": ",", "@.@": "."} if kind != "char" else {}
    assert text.replace(" ", "") == "".join(joints.get(token, token) for token in tokens)


@pytest.mark.parametrize(
    "lines",
    [
        ["A roll costs 5€, not more.", "Das Brötchen kostet 5\u00a0€ im Laden.", "It was 9$ at most."],
        ["Bevo un po' di vino e un po' di birra.", "L'amico è all'angolo."],
        ["'Twas late when we heard 'n' saw the '60s roll by.", "'s Morgens eet hij in 't bos.", "Goin' home, 'e said."],
        ["我说：“好。”他走了。", "犬は言った。「はい」と。", "午前10時に2匹来た。", "「何？」「いや。」"],
        ["ฝนตกหนัก แล้วเราก็กลับบ้าน", "เขามา 3 ครั้ง"],
        ["haha 😂😂😂 yes❤️❤️ 🇩🇪🇫🇷", "no 😂 😂 no"],
        ["At -5 degrees, 6'2\" tall, R&D has 18+ rooms, Mon–Fri; call +49 30 12.", "Use .NET, node.js, -O2, --all."],
        ["It came--so fast...and went.", "It came -- not so fast ... and went."],
        ["# A list", "- [x] buy **two** big _red_ apples", "See [it](https://example.org/a_b), `so`."],
        ["\\section{One} Let $x_1 = y^{2}$ and \\emph{so} on.", "if (a[i] == b) { return -1; }"],
        ["Il dit : « Entrez ! » et sort.", "Un « mot » ici."],
        ["»Nein«, sagte er. »Gut so?«", "Die EU: groß. Kind's Sachen."],
        ["“Curly,” she said, ‘and’ “more”.", "It’s the dogs’ day."],
        ["“真的吗？”“真的。”他说。", "他说:“你好吗?”"],
        ["He is 6’ tall, ‘so’ they say.", "A 12” “big” pizza."],
        ["Vor\u202fihm : 5\u00a0000 €", "z.\u2009B. so"],
    ],
)
def test_a_text_comes_back_as_it_was_written(lines):
    assert after_learning(lines * 3, lines) == lines


def test_what_most_of_a_text_writes_becomes_a_rule_and_the_rest_is_noted():
    lines = ["one -- two"] * 30 + ["three--four"] * 3
    detokenizer = learn(tokens_of(lines))
    noted = annotate(tokens_of(lines), detokenizer)
    marks = sorted(word for word in noted.types if plain(word) == "--")
    assert [parts(word) for word in marks] == [(None, "--", None), ("", "--", None)]
    assert after_learning(lines) == lines
    assert after_learning(["one--two"] * 30, ["two -- one"]) == ["two--one"]  # this text writes no spaces


def test_lookalikes_are_written_as_most_of_the_text_writes_them():
    curly = ["“I don’t,” he said.", "‘Well,’ she said, “it’s (“so”) good.”"]
    assert after_learning([*curly * 3, '"I don\'t."'], ['"I don\'t," he said.']) == ["“I don’t,” he said."]
    assert after_learning(['"I don\'t."'] * 3 + ["“I don’t.”"], ["“I don’t.”"]) == ['"I don\'t."']
    assert after_learning(["Der Preis ist ５０ ﬁn"], ["50 fin"]) == ["５０ ﬁn"]


@given(st.lists(st.text(st.sampled_from("ab A1.,-'\"(“’€ 字\u00a0ก😂"), max_size=12), min_size=1, max_size=12))
def test_a_unit_alone_gets_the_notes_that_it_gets_in_a_text(lines):
    segments = [segment for segment in map(WORD.segment, lines) if segment.tokens]
    tokens = Tokens.from_segments(segments)
    detokenizer = learn(tokens)
    noted = annotate(tokens, detokenizer)
    alone = [noted_tokens(detokenizer, WORD, segment) for segment in segments]
    assert [noted.types[number] for number in noted.ids] == [word for unit in alone for word in [*unit, EOS]]
    assert Detokenizer.from_text(detokenizer.text()) == detokenizer


def can_be_noted(segments):
    """Whether a note fits beside each place without a space: two words that are joined have none."""
    tokens, gaps, _ = segments
    places = zip(tokens, tokens[1:], gaps[1:], strict=False)
    return all(gap or can_be_annotated(a) or can_be_annotated(b) for a, b, gap in places)


@given(st.lists(st.text(st.sampled_from("ab A1.,-'\"(“’€ 字ก😂"), max_size=20), max_size=12))
def test_with_all_notes_a_text_comes_back_but_for_runs_of_spaces_and_lookalikes(lines):
    lines = [line for line in lines if line.strip() and can_be_noted(WORD.segment(line))]
    tokens = tokens_of(lines)
    detokenizer = learn(tokens)
    noted = annotate(tokens, detokenizer)
    assert [plain(noted.types[number]) for number in noted.ids] == [tokens.types[number] for number in tokens.ids]
    ends = np.flatnonzero(noted.ids == EOS_ID)[:-1] + 1
    units = np.split(noted.ids, ends) if lines else []
    found = [written(WORD, [noted.types[number] for number in unit[:-1]], detokenizer) for unit in units]
    assert [folded(line) for line in found] == [folded(" ".join(line.split())) for line in lines]


def test_a_mark_waits_for_the_word_that_decides_its_space():
    spacer = Spacer(Detokenizer(), WORD)
    assert spacer.push("yes") == ["yes"]
    assert spacer.push(",") == []
    assert spacer.push("no") == [",", " no"]
    assert spacer.push("!") == []
    assert spacer.flush() == ["!"]
    assert spacer.flush() == []


def test_notes_can_be_put_on_a_mark_and_taken_off():
    assert annotated("--", "", " ") == f"{JOINER}--{SPACE}"
    assert parts(f"{JOINER}--{SPACE}") == ("", "--", " ")
    assert parts("word") == (None, "word", None)
    assert plain(f"--{SPACE}") == "--"


def test_a_rare_combination_of_notes_is_written_with_what_the_vocabulary_knows():
    vocabulary = Vocabulary.from_tokens(Tokens.from_units([["a", "--", annotated("--", "", " "), "b"]]))
    noted = {parts(word) for word in vocabulary.words if plain(word) == "--"}
    assert noted == {(None, "--", None), ("", "--", " "), ("", "--", None), (None, "--", " ")}
    assert vocabulary.word(vocabulary.find(annotated("--", " ", " "))) == f"--{SPACE}"
    assert vocabulary.word(vocabulary.find(annotated("--", " ", None))) == "--"


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE % (b'[["a", "b", "\\n"]]', b"[]"),
        HOSTILE % (b'[["a", "b", "  "]]', b"[]"),
        HOSTILE % (b"[]", b'[["met", "\\u001b[31mnot"]]'),
        HOSTILE % (b"[]", b'[["met", ""]]'),
        b"[]",
        b"{}",
        b'{"rules": [], "forms": []}',
        b'{"rules": [[["a", "b", "x"]]], "forms": []}',
        b"\xff",
        b"1",
    ],
)
def test_what_is_no_detokenizer_is_refused(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Detokenizer.from_text(text)


def test_a_text_that_was_read_goes_on_with_its_own_spaces():
    spacer = Spacer(Detokenizer(), WORD)
    spacer.read(Segments(["He", "said", '"'], ["", " ", " "]))
    assert spacer.write(["Yes", '"', "."]) == ["Yes", '"', "."]
