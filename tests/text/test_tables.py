"""A field of a table is read: of tab-separated lines by its number, of CSV by the name of its column."""

import pytest

from rnncli.errors import TextError
from rnncli.text.tables import column_units, field_units


def test_the_field_of_each_line_is_a_unit():
    assert list(field_units(["1\tone apple\tx", "", "2\ttwo\t", "3\t \ty"], 2, "a.tsv")) == ["one apple", "two"]
    with pytest.raises(TextError, match=r"^a\.tsv, line 3: there is no field 2 in 'three': tabs separate fields$"):
        list(field_units(["1\tone", "", "three"], 2, "a.tsv"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_cell_of_each_row_is_a_unit_whatever_parts_the_cells(delimiter):
    lines = ['id,"the text",n', '1,"An apple;', 'or a ""pear""",3', "", "2,b", "3"]
    lines = [line.replace(",", delimiter).replace(";", ",") for line in lines]
    assert list(column_units(lines, "the text", "a.csv")) == ['An apple, or a "pear"', "b"]


def test_a_column_that_is_missing_is_told_with_those_that_there_are():
    with pytest.raises(TextError, match=r"^a\.csv has no column 'text': its columns are id, body$"):
        list(column_units(["id;body", "1;a"], "text", "a.csv"))
    with pytest.raises(TextError, match="has no column"):
        list(column_units([], "text", "a.csv"))


def test_a_cell_that_csv_cannot_hold_is_told_with_its_line():
    told = r"^a\.csv, line 3: a cell of the row that begins here has more than 131,072 characters: close its quotation"
    with pytest.raises(TextError, match=told):
        list(column_units(["text", "a", "b" * 200_000], "text", "a.csv"))
    with pytest.raises(TextError, match=told):
        list(column_units(["text", "a", '"b', *["c" * 100] * 2000, 'd"'], "text", "a.csv"))


def test_a_field_of_any_number_is_looked_for():
    assert list(field_units(["a\tb\tc"], 2, "a.tsv")) == ["b"]
    assert list(field_units(["\t" * 100_000], 100_001, "a.tsv")) == []
    with pytest.raises(TextError, match="there is no field 1000"):
        list(field_units(["a\tb"], 10**400, "a.tsv"))
