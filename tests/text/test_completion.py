import pytest

from rnncli.errors import SettingError
from rnncli.text.completion import Completer
from rnncli.text.tokenizers import Tokenizer

WORDS = [
    "<eos>",
    "<unk>",
    "study",
    "Stay",
    "start",
    "été",
    "etwas",
    "don't",
    "don",
    ".",
    "...",
    "straße",
    "Été",
    "(",
    "日本",
    "は",
    "ば",
]


@pytest.fixture
def completer():
    return Completer(WORDS, Tokenizer())


@pytest.mark.parametrize(
    ("text", "before", "fitting"),
    [
        ("he will st", "he will ", ["study", "Stay", "start", "straße"]),
        ("he will sta", "he will ", ["Stay", "start"]),
        ("he will St", "he will ", ["Stay"]),  # typed with its case
        ("ET", "", ["été", "etwas", "Été"]),  # no word has this case
        ("un DON'", "un ", ["don't"]),
        ("un Et", "un ", ["Été"]),  # the case counts, the accents do not
        ("Et", "", ["etwas", "Été"]),  # a sentence begins: Etwas
        ("Stay. “Et", "Stay. “", ["etwas", "Été"]),
        ("(St", "(", ["study", "Stay", "start", "straße"]),
        ("he, St", "he, ", ["Stay"]),
        ("un et", "un ", ["été", "etwas", "Été"]),
        ("un ét", "un ", ["été", "Été"]),  # typed with its accents
        ("I don'", "I ", ["don't"]),
        ("I don’", "I ", ["don't"]),
        ("I don", "I ", ["don't", "don"]),
        ("I dont", "I ", ["don't"]),  # apostrophes count only if they are typed
        ("he said “st", "he said “", ["study", "Stay", "start", "straße"]),
        ("he will s\xadt\u200ba", "he will s\xadt\u200b", []),
        ("he will s\xadt\u200e", "he will ", ["study", "Stay", "start", "straße"]),
        ("x\u200bst", "x\u200b", ["study", "Stay", "start", "straße"]),
        ("(e\u0301t", "(", ["été", "Été"]),
        ("ｓｔａ", "", ["Stay", "start"]),
        ("the end..", "the end", ["..."]),
        ("(st", "(", ["study", "Stay", "start", "straße"]),
        ("strass", "", ["straße"]),
        ("日", "", ["日本"]),
        ("は日", "は", ["日本"]),
        ("he will zzz", "he will ", []),
        ("<", "", []),  # what is no word is never offered
    ],
)
def test_the_last_word_is_completed(completer, text, before, fitting):
    found_before, numbers = completer.split(text)
    assert found_before == before
    assert [WORDS[number] for number in numbers] == fitting


@pytest.mark.parametrize("text", ["", "he will ", "he will\t", "これは", "は", "the end.", "(", "don."])
def test_where_nothing_is_typed_the_text_is_whole(completer, text):
    before, numbers = completer.split(text)
    assert before == text
    assert [WORDS[number] for number in numbers] == WORDS[2:]  # all but <eos> and <unk>


def test_a_model_in_lower_case_reads_what_is_typed_in_lower_case():
    completer = Completer(["<eos>", "<unk>", "stay"], Tokenizer(lowercase=True))
    assert completer.split("St")[1].tolist() == [2]


def test_characters_cannot_be_half_typed():
    with pytest.raises(SettingError, match="this model predicts characters"):
        Completer(["<eos>", "<unk>", "a"], Tokenizer("char"))


def test_a_word_is_found_behind_a_mark_whatever_its_case_where_case_is_not_read():
    completer = Completer(["<eos>", "<unk>", "the", "wait", "..."], Tokenizer(lowercase=True))
    for text in ("wait...th", "Wait...Th"):
        before, numbers = completer.split(text)
        assert (before, numbers.tolist()) == (text[:7], [2])


def test_a_letter_without_an_upper_case_is_typed_in_lower_case():
    completer = Completer(["<eos>", "<unk>", "Straße", "Spaß", "Mass"], Tokenizer())
    assert [completer.split(text)[1].tolist() for text in ("straß", "spaß", "Spaß")] == [[2], [3], [3]]


def test_a_word_that_is_known_without_its_capital_is_written_as_it_was_begun():
    completer = Completer(["<eos>", "<unk>", "bread", "Bruno", "eBay"], Tokenizer())
    found = {"Brea": [2], "Br": [2, 3], "a Br": [3], "br": [2, 3], "EB": [4]}
    assert {typed: completer.split(typed)[1].tolist() for typed in found} == found
    assert completer.written("Brea", "bread") == "Bread"
    assert [completer.written(*pair) for pair in (("BR", "bread"), ("br", "bread"), ("Eb", "eBay"))] == [
        "bread",
        "bread",
        "eBay",
    ]
    assert Completer(["<eos>", "<unk>"], Tokenizer(lowercase=True)).written("Brea", "bread") == "bread"


def test_a_mark_that_looks_like_a_known_one_is_whole():
    for fold in (False, True):
        completer = Completer(["<eos>", "<unk>", '"', "'", "'s", "said"], Tokenizer(fold=fold))
        assert completer.split("he said “")[0] == "he said “"
        assert completer.split("he s")[1].tolist() == [5]  # an apostrophe at the beginning counts
        assert completer.split("he ’s")[1].tolist() == [4]


def test_a_long_run_of_marks_is_no_half_typed_word(completer):
    completer = Completer([*WORDS, "'"], Tokenizer())
    assert completer.split("’" * 20_000)[0] == "’" * 20_000
    assert completer.split("a" * 20_000 + "'")[1].tolist() == list(range(2, len(WORDS) + 1))
