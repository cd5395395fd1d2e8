import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.cells import ROW
from cohort.tables import open_table
from engine.errors import InputError

Write = Callable[..., Path]
DTYPES = {"a": pl.Float64(), "b": pl.String(), "c": pl.Float64()}


def _rows(path: Path) -> list[tuple[object, ...]]:
    return open_table(path).read(DTYPES).rows()


@pytest.mark.parametrize(
    "content",
    [
        b"a,b,c\n1,x,2\n3,y,4\n",
        b"a,b,c\n1,x,2\n3,y,4",
        b"\xef\xbb\xbfa,b,c\r\n1,x,2\r\n3,y,4\r\n",
        b"a,b,c\r1,x,2\r3,y,4\r",
        b'"a","b","c"\n"1","x","2"\n"3","y","4"\n',
        b"a,b,c\n1.0,x,2e0\n 3 ,y,+4\n",
        b"a,b,c\n1,x,2\n3,y,4\n\n\n",
        b"c,b,a\n2,x,1\n4,y,3\n",
        b"a,b,extra,c\n1,x,?,2\n3,y,?,4\n",
        b",a,b,c,\n7,1,x,2,\n8,3,y,4,\n",
        gzip.compress(b"a,b,c\n1,x,2\n3,y,4\n"),
    ],
    ids=[
        "plain",
        "no last line end",
        "bom crlf",
        "cr",
        "quoted",
        "spaces",
        "blank end",
        "order",
        "extra",
        "unnamed",
        "gzip",
    ],
)
def test_spellings_of_the_same_table_read_the_same(content: bytes, write: Write) -> None:
    assert _rows(write(content)) == [(0, 1.0, "x", 2.0), (1, 3.0, "y", 4.0)]


@pytest.mark.parametrize(
    ("content", "habits"),
    [
        ("a;b;c\n1.5;x, y;2\n", {"columns separated by semicolons"}),
        ("a\tb\tc\n1.5\tx, y\t2\n", {"columns separated by tabs"}),
        ("a|b|c\n1.5|x, y|2\n", {"columns separated by bars"}),
        ("a;b;c\n1,5;x, y;2\n", {"columns separated by semicolons", "decimal commas"}),
        ('a,b,c\n"1,5","x, y",2\n', {"decimal commas"}),
        ('a,b,c\n1.5,"x, y",2\n', set()),
    ],
)
def test_other_separators_and_decimal_commas_are_read_and_named(content: str, habits: set[str], write: Write) -> None:
    table = open_table(write(content))
    assert table.read(DTYPES).rows() == [(0, 1.5, "x, y", 2.0)]
    assert table.habits == habits


@pytest.mark.parametrize(
    "content",
    ["a;b;c\n1,234;x;2\n", "a;b;c\n1,5;x;2.5\n", "a;b;c\n1.234,5;x;2\n"],
    ids=["thousands or decimals", "both in one table", "both in one cell"],
)
def test_commas_that_may_mean_two_things_are_refused(content: str, write: Write) -> None:
    with pytest.raises(InputError, match=r"row 1 \(line 2\): '1.*' is not a number"):
        _rows(write(content))


@pytest.mark.parametrize("first", ["sep=,", "sep=;", "SEP=,"])
def test_a_first_line_for_excel_is_named(first: str, write: Write) -> None:
    with pytest.raises(InputError, match=rf"the first line is {first}, which only Excel reads\. delete this line"):
        _rows(write(f"{first}\na,b,c\n1,x,2\n"))


def test_a_wrong_cell_is_found_where_lines_end_as_on_an_old_mac(write: Write) -> None:
    with pytest.raises(InputError, match=r"column c, row 2 \(line 3\): 'large' is not a number"):
        _rows(write("a,b,c\r1,x,2\r3,y,large\r"))


def test_rows_keep_their_number_across_a_blank_line(write: Write) -> None:
    assert _rows(write("a,b,c\n1,x,2\n\n3,y,4\n")) == [(0, 1.0, "x", 2.0), (2, 3.0, "y", 4.0)]


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "NaN", "nan", "null", "None", '""', '"NA"'])
def test_missing_spellings_are_null_in_every_column(missing: str, write: Write) -> None:
    assert _rows(write(f"a,b,c\n{missing},{missing},2\n")) == [(0, None, None, 2.0)]


def test_missing_text_after_a_thousand_numbers_is_null(write: Write) -> None:
    lines = "".join(f"{number},x,1\n" for number in range(1000))
    frame = open_table(write(f"a,b,c\n{lines}NA,y,1\n")).read(DTYPES)
    assert frame["a"].dtype == pl.Float64
    assert frame["a"].null_count() == 1


def test_quoted_commas_and_line_breaks_stay_in_their_cell(write: Write) -> None:
    assert _rows(write('a,b,c\n1,"Clinic, ""North""\nWing",2\n')) == [(0, 1.0, 'Clinic, "North"\nWing', 2.0)]


def test_columns_come_in_the_order_asked_for(write: Write) -> None:
    table = open_table(write("a,b,c\n1,x,2\n"))
    assert table.read({"c": pl.Float64(), "a": pl.String()}).columns == [ROW, "c", "a"]


def test_a_bad_cell_is_named_by_column_row_line_and_value(write: Write) -> None:
    # The quoted line break in row 1 moves row 2 from line 3 to line 4.
    path = write('a,b,c\n1,"x\ny",2\n2,x,large\n3,x,larger\n')
    with pytest.raises(InputError) as raised:
        _rows(path)
    assert str(raised.value) == (
        f"{path}, column c, row 2 (line 4): 'large' is not a number."
        " write numbers as 1.5, and missing values as an empty cell or NA."
    )


@pytest.mark.parametrize("value", ["1,500", "1_000", "0x10", "12 mm", "--"])
def test_other_spellings_of_numbers_are_refused(value: str, write: Write) -> None:
    with pytest.raises(InputError, match="is not a number"):
        _rows(write(f'a,b,c\n"{value}",x,2\n'))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n1,x,2\n3,y\n", "line 3: this line has 2 fields, the header 3"),
        ("a,b,c\n1,x,2,9\n3,y,4\n", "line 2: this line has 4 fields, the header 3"),
        ('a,b,c\n1,"x,2\n3,y,4\n', "line 2: this line has 2 fields, the header 3"),
        ("a,b,a\n1,x,2\n", "column a appears twice"),
        ("\na,b,c\n1,x,2\n", "the first line is empty"),
        (b"a,b,c\n1,x,2\n1,Cl\xednic,2\n", "line 3: this line is not text in UTF-8"),
    ],
    ids=["short", "long", "open quote", "twice", "blank first line", "latin-1"],
)
def test_damaged_text_is_refused_with_its_place(content: str | bytes, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=message.replace("(", "\\(")):
        _rows(write(content))


def test_a_line_cut_off_at_the_end_is_refused(write: Write) -> None:
    whole = "a,b,c\n1,x,2\n3,y,4\n"
    with pytest.raises(InputError, match=r"line 3: .* cut off"):
        _rows(write(whole[:-3]))


def test_place_names_file_column_row_and_line(write: Write) -> None:
    path = write("a,b,c\n1,x,2\n3,y,4\n")
    assert open_table(path).place(1, "b") == f"{path}, column b, row 2 (line 3)"


def test_the_first_bad_row_is_named_whichever_column_it_is_in(write: Write) -> None:
    with pytest.raises(InputError, match=r"column c, row 1 \(line 2\): 'early'"):
        _rows(write("a,b,c\n1,x,early\nlate,x,2\n"))


def test_brackets_in_a_file_name_are_no_pattern(write: Write) -> None:
    write("a,b,c\n9,y,9\n", "table1.csv")
    assert _rows(write("a,b,c\n1,x,2\n", "table[1].csv")) == [(0, 1.0, "x", 2.0)]
