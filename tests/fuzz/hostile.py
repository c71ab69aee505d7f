"""Makes random texts as strangers may send them: mixed scripts, marks without end, controls, broken markup."""

from __future__ import annotations

import random

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyzABCXYZ",
    "éüßñøçĐĞıİŐžſǅﬁﬂ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяЁІЇ",
    "αβγδεζηθικλμνξοπρσςτυφχψωΣΆ",
    "שלוםעולםךףץ" + "\u05b0\u05bc\u05c1",
    "السلامعليكمپچگی" + "\u064b\u0651\u0640",
    "नमस्तेदुनियाক্ষাবাংলাதமிழ்",
    "ภาษาไทยລາວမြန်မာខ្មែរ",
    "你好世界漢字カタカナひらがなｱｲｳ한국어ᄒ\u1161\u11ab",
    "\u0301\u0323\u0308\u0344\u0f71\u0f73\u20e3\u3099\u1ab0\ufe20",
    "\u200b\u200c\u200d\u2060\ufeff\xad\u180e\u200e\u200f\u202a\u202e\u2066\u2069\ufe0f\ufe0e",
    "😀👩🍳🏽❤🇩🇪🏴\U000e0067\U000e007f🔥☂*#1\ufe0f\u20e3",
    "\x00\x01\x07\x08\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x7f\x80\x85\x9b\x9f\u2028\u2029",
    "\ud800\udbff\udc00\udfff\udc80\udcff",
    "\ufdd0\ufdd1\ufffe\uffff\U0010ffff\ue000\U000f0000\ufffd\ufffc\u3164\u2800",
    "0123456789٠١٢३४५０１²½Ⅷ一二",
    ".,;:!?…-–—'\"’“”„«»()[]{}<>/\\@#$%^&*_=+|~`¿¡。、「」",
    "  \t\xa0\u2003\u202f\u3000\u1680",
)
FRAGMENTS = (
    "<unk>", "<eos>", "<s>", "</s>", "@-@", "@,@", "___", "http://a.b/c?d=e#f", "https://" + "x" * 50, "a.b@c.de",
    "U.S.", "C++", ":-)", "it's", "dogs' bones", "3,000.50", "well-known", "neigh-", "--", "...", "12:30", "&amp;",
    "&#8217;", "&#99999999999999999999;", "&#x110000;", "<p>", "</p>", "<script>", "</script>", "<!--", "-->",
    "<![CDATA[", "<![x", "<!DOCTYPE html>", "<a href='", "<br/>", "<svg>", "</math>", "<pre>", "</pre>",
    "<?", "# ", "## ",
    "> ", "- ", "1. ", "```", "~~~", "| a | b |", "|---|---|", "[a](b)", "[a]: b", "[^1]: ", "[^1]", "![",
    "**", "*", "---",
    "+++", "title: x", "---\n", "\n\n", "\n", "\r\n", "\r", "31.12.23, 22:15 - Ann: ", "[31.12.23, 22:15:03] Ann: ",
    "22:15 <ann> ", "99.99.9999, 99:99 - ", "1\n00:00:01,000 --> 00:00:02,000\n", "WEBVTT\n",
    "99:99:99.999 --> 0:0:0.0", "{\\an8}", "<00:01.500>", '"', '""', ",", ";", "\t", "a,b,c\n", "text,id\n",
    "\x1b[31m", "\x1b]0;x\x07", "N\x08N",
    "'", "e\u0301", "\u0130", "\u03a3", "ß", "%s", "{}", "\\N", "../..", "$(x)", "-", "--help", "\ufeff",
)  # fmt: skip
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1251", "koi8-r",
    "shift_jis", "gb18030", "iso2022_jp", "utf-7", "cp500", "big5", "euc_kr", "iso8859-2",
)  # fmt: skip
MAX_REPEATS = 3000


def random_text(rng: random.Random) -> str:
    """Return a text of some pieces, with any character in it."""
    pieces = []
    for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 13, 30))):
        alphabet = rng.choice(ALPHABETS)
        kind = rng.random()
        if kind < 0.45:
            pieces.append("".join(rng.choices(alphabet, k=rng.randint(1, 12))))
        elif kind < 0.75:
            pieces.append(rng.choice(FRAGMENTS))
        elif kind < 0.8:
            pieces.append(rng.choice((*FRAGMENTS, *alphabet)) * rng.randint(1, rng.choice((10, 100, MAX_REPEATS))))
        elif kind < 0.85:
            pieces.append(chr(rng.randrange(0x110000)))
        elif kind < 0.88:
            pieces.append("".join(rng.choices(rng.choice(ALPHABETS) + alphabet, k=rng.randint(1, 300))))
        pieces.append(rng.choice(("", " ", " ", " ", "\n")))
    return "".join(pieces)


def random_bytes(rng: random.Random) -> tuple[bytes, str]:
    """Return a text in some encoding, perhaps damaged, and the encoding."""
    encoding = rng.choice(ENCODINGS) if rng.random() < 0.5 else "utf-8"
    errors = "surrogatepass" if encoding.startswith("utf-8") and rng.random() < 0.3 else "replace"
    data = bytearray(random_text(rng).encode(encoding, errors))
    for _ in range(rng.choice((0, 0, 0, 1, 5))):
        place = rng.randint(0, len(data))
        data[place : place + rng.choice((0, 1, 3))] = rng.randbytes(rng.choice((0, 1, 2, 8)))
    return bytes(data), encoding
