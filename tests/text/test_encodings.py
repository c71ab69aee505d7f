"""Texts in other encodings than the one that was asked for."""

import pytest

from rnncli.errors import TextError
from rnncli.text.encodings import advice, likely_encodings
from rnncli.text.reading import read_batches

POLISH = "Zażółć gęślą jaźń, proszę państwa, źródło jest tu.\n"
GERMAN = "Schöne Grüße aus München, wir wünschen ein fröhliches Fest.\n"
RUSSIAN = "Кошка сидела на окне и смотрела на улицу.\n"
HUNGARIAN = "Árvíztűrő, őszi eső\n"
DAMAGED = "it is damaged there, or cut off: mend it, or leave that part out"
WHO_KNOWS = "the program that wrote it should tell"
JAPANESE = "猫は窓辺に座って、雨の降る通りを眺めていました。\n"
CHINESE = "猫坐在窗台上看着下雨的街道，什么也没有说。\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        *[(text, wide, [wide]) for text in (GERMAN, RUSSIAN, JAPANESE, CHINESE) for wide in ("utf-16-le", "utf-32-be")],
        (CHINESE, "utf-16-be", ["utf-16-be"]),
        *[(RUSSIAN, encoding, [encoding]) for encoding in ("cp1251", "koi8-r", "cp866", "iso8859-5")],
        *[(POLISH, encoding, [encoding]) for encoding in ("cp1250", "iso8859-2")],
        (GERMAN, "latin-1", ["latin-1"]),
        (GERMAN, "cp850", ["cp850"]),
        (GERMAN, "cp500", ["cp500"]),  # of mainframes
        ("It’s “so” nice — said the cat.\n", "cp1252", ["cp1252"]),
        ("Η γάτα καθόταν στο παράθυρο και κοίταζε.\n", "iso8859-7", ["cp1253"]),  # the same for these letters
        ("החתול ישב על החלון והביט ברחוב הגשום.\n", "cp1255", ["cp1255"]),
        ("جلست القطة على النافذة ونظرت إلى الشارع.\n", "cp1256", ["cp1256"]),
        ("แมวนั่งอยู่ที่หน้าต่างและมองดูถนน\n", "tis-620", ["cp874"]),
        ("고양이가 창가에 앉아 비 오는 거리를 바라보고 있었다.\n", "euc_kr", ["euc_kr"]),
        *[(JAPANESE, encoding, [encoding]) for encoding in ("shift_jis", "euc_jp")],
        (CHINESE, "gb18030", ["gb18030"]),
        ("貓坐在窗台上看著下雨的街道，什麼也沒有說。\n", "big5", ["big5"]),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.\n", "iso8859-2", ["cp1250", "iso8859-2"]),  # who reads it can tell
        ("привет", "koi8-r", []),  # too little to tell
    ],
)
def test_only_encodings_are_named_in_which_a_text_reads_like_text(text, encoding, found):
    assert likely_encodings((text * 20 if found else text).encode(encoding)) == found


@pytest.mark.parametrize(
    ("data", "encoding", "told"),
    [
        ("Grüße".encode() * 5 + b"\xff", "utf-8", DAMAGED),
        (b"x \xed\xa0\x80 y", "utf-8", DAMAGED),
        (RUSSIAN.encode("utf-16") + b"x", "utf-16", DAMAGED),
        ("It’s “so”".encode(), "cp1252", 'name its encoding, such as encoding="utf-8"'),
        (bytes(range(128, 256)), "utf-8", f'name its encoding with encoding="NAME": {WHO_KNOWS}'),
        (HUNGARIAN.encode("cp1250"), "utf-8", 'name its encoding, such as encoding="latin-1" or encoding="cp1250"'),
    ],
)
def test_the_advice_says_only_what_is_known(data, encoding, told):
    assert advice(data, encoding) == told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (JAPANESE.encode("utf-16-be"), "is not UTF-8 text, but probably UTF-16-BE: try encoding"),
        (JAPANESE.encode("iso2022_jp"), "is not UTF-8 text, but probably ISO2022_JP: try encoding"),
        (RUSSIAN.encode("utf-16") + b"x", r"is not UTF-16 text \(byte 0x78 at offset 86\): it is damaged there"),
        (RUSSIAN.encode("utf-16") + b"=\xd8a\0" * 40, r"is not UTF-16 text \(byte 0x3d at offset 86\): it is damaged"),
    ],
)
def test_a_file_in_another_encoding_is_an_error_with_the_right_remedy(tmp_path, data, told):
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    with pytest.raises(TextError, match=told):
        list(read_batches(path))


def test_ascii_with_a_zero_byte_is_not_taken_for_a_text_in_utf_16():
    assert likely_encodings(b"Tom is not good \0at science\n" * 9) == []
    assert likely_encodings(b"Tom is not good, so he will\n".replace(b" ", b"\0")) == []
