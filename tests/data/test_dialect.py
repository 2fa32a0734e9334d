"""Text that is not quite CSV: what the table in it is, written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slalom.core.errors import BadData, SlalomWarning
from slalom.data import delimited
from slalom.data.delimited import parse_delimited
from slalom.data.plain import read_plain

AB = [["a", "b"], ["1", "2"], ["3", "4"]]

QUIET = {
    "sep= names the delimiter": ("sep=;\na;b\n1;2\n3;4\n", AB),
    "sep= in capitals": ("SEP=;\na;b\n1;2\n3;4\n", AB),
    "sep= in quotation marks": ('"sep=;"\na;b\n1;2\n3;4\n', AB),
    "sep= before commas within fields": (
        "sep=;\na;b\n1,5;2\n3,5;4\n",
        [AB[0], ["1,5", "2"], ["3,5", "4"]],
    ),
    "sep= of a sign that nobody would guess": ("sep=^\na^b\n1^2\n3^4\n", AB),
    "sep= with Windows' line ends": ("sep=,\r\na,b\r\n1,2\r\n3,4\r\n", AB),
    "a comment above": ("# exported 2024-01-31\na,b\n1,2\n3,4\n", AB),
    "comments with delimiters": ("# by: x, y, z\n# of: u, v\na,b\n1,2\n3,4\n", AB),
    "comments and a blank line": ("# exported\n\na,b\n1,2\n3,4\n", AB),
    "blank lines and a comment": ("\n\n# exported\na,b\n1,2\n3,4\n", AB),
    "a comment that holds the names": ("# exported\n#a,b\n1,2\n3,4\n", AB),
    "a header that begins with a hash": ("#a,b\n1,2\n3,4\n", AB),
    "names of words after a hash": (
        "#name,town\nann,x\nbob,y\ncid,z\n",
        [["name", "town"], ["ann", "x"], ["bob", "y"], ["cid", "z"]],
    ),
    "a comment that only looks like names": ("# a,b\nc,d\n1,2\n", [["c", "d"], ["1", "2"]]),
    "blank lines above": ("\n \na,b\n1,2\n3,4\n", AB),
    "runs of blanks": ("a     b\n1     2\n3     4\n", AB),
    "runs of blanks at the ends": ("  a   b  \n  1   2\n  3   4   \n", AB),
    "one blank": ("a b\n1 2\n3 4\n", AB),
    "blanks in words between runs": (
        "name       size\nred hat    1\nblue hat   20\n",
        [["name", "size"], ["red hat", "1"], ["blue hat", "20"]],
    ),
    "blanks and tabs": ("a \t b\n1 \t 2\n3\t4\n", AB),
    "text in one column stays text": (
        "said\nhow do you do\nI am well today\n",
        [["said"], ["how do you do"], ["I am well today"]],
    ),
}  # fmt: skip

GUESSED = {
    "a title": ("Sales of 2024\na,b,c\n1,2,3\n4,5,6\n", 2),
    "a title and a blank line": ("Sales of 2024\n\na,b,c\n1,2,3\n4,5,6\n", 2),
    "two titles": ("Sales\nof 2024\n\na,b,c\n1,2,3\n4,5,6\n", 2),
    "a title with empty fields": ("Sales of 2024,,\na,b,c\n1,2,3\n4,5,6\n", 2),
    "blank fields under a title": ("Sales of 2024,,\n,,\na,b,c\n1,2,3\n4,5,6\n", 2),
    "a title, semicolons": ("Verkauf 2024\n\na;b;c\n1;2;3\n4;5;6\n", 2),
    "a title, tabs": ("Sales of 2024\n\na\tb\tc\n1\t2\t3\n4\t5\t6\n", 2),
    "a title in quotation marks": ('"Sales, of 2024"\n\na,b,c\n1,2,3\n4,5,6\n', 2),
    "a title above words": ("Staff\n\na,b,c\nann,x,u\nbob,y,v\n", 2),
}


def lines(frame):
    return [list(frame), *frame.to_numpy().tolist()]


@pytest.mark.parametrize("case", QUIET)
def test_a_table_is_read_without_a_word(case):
    text, expected = QUIET[case]
    assert lines(parse_delimited(text.encode(), "t.csv")) == expected


@pytest.mark.parametrize("case", GUESSED)
def test_titles_above_a_table_are_left_out_and_it_is_said(case):
    text, rows = GUESSED[case]
    with pytest.warns(SlalomWarning, match="above the column names left out"):
        frame = parse_delimited(text.encode(), "t.csv")
    assert list(frame) == ["a", "b", "c"] and len(frame) == rows
    assert "left out: '" in frame.attrs[delimited.NOTES][0]


def test_a_comment_that_holds_the_names_is_not_called_left_out():
    frame = parse_delimited(b"# by me\n#a,b\n1,2\n3,4\n", "t.csv")
    assert frame.attrs[delimited.NOTES] == ("1 line above the column names left out: '# by me'",)
    assert delimited.NOTES not in parse_delimited(b"#a,b\n1,2\n3,4\n", "t.csv").attrs


def test_an_error_names_the_line_of_the_file_and_not_of_the_table():
    text = "# one\n# two\na,b\n1,2\n3,4,5\n"
    with pytest.raises(BadData, match="line 5: expected 2 fields"):
        parse_delimited(text.encode(), "t.csv")


def test_a_column_of_hashtags_is_a_table():
    assert parse_delimited(b"#tag\n#one\n#two\n", "t.csv")["#tag"].tolist() == ["#one", "#two"]


@pytest.mark.filterwarnings("ignore:.* has no header")
def test_a_row_too_short_is_an_error_and_no_title():
    with pytest.raises(BadData, match="expected 1 fields"):
        parse_delimited(b"1\n2,3\n4,5\n", "t.csv")


FIELDS = st.one_of(
    st.integers(-5, 5).map(str),
    st.sampled_from(["", "NA", " x", "x ", "\u00a0x", "\u2003", "a b", "é", "a\tb", "-", "#"]),
    st.sampled_from(['"a,b"', '"a ""b"" c"', '""', '" a "', '"two\nlines"', 'a"b', '"a"b']),
)


@given(
    st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";"]),
)
def test_what_arrow_may_read_it_reads_as_the_other_parser_does(rows, newline, delimiter):
    text = newline.join(delimiter.join(row) for row in [("p", "q", "r"), *rows]) + newline
    source = delimited._Source(text, delimiter, "t.csv", 0)
    names = ["p", "q", "r"]
    start = len(delimiter.join(names) + newline)
    quick = read_plain(text.encode(), start, delimiter, names)
    if quick is None:
        return
    slow = delimited._frame(delimited._checked(source, 3), names, True)
    assert quick.astype(object).where(quick.notna(), None).to_numpy().tolist() == (
        slow.astype(object).where(slow.notna(), None).to_numpy().tolist()
    )


LARGE = "".join(f'{k},"x, {k}",ä\n' for k in range(60_000))
ABOVE = {
    "a header": ("a,b,c\n", ["a", "b", "c"]),
    "blank lines": ("\n\na,b,c\n", ["a", "b", "c"]),
    "a comment": ("# exportiert für alle\na,b,c\n", ["a", "b", "c"]),
    "names over two lines": ('a,"b\nä",c\n', ["a", "b\nä", "c"]),
    "sep=": ("sep=,\na,b,c\n", ["a", "b", "c"]),
    "a title": ("Verkäufe\n\na,b,c\n", ["a", "b", "c"]),
    "no header": ("", ["column_1", "column_2", "column_3"]),
}


@pytest.mark.parametrize("case", ABOVE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.filterwarnings("ignore:.*(has no header|left out)")
def test_a_large_file_is_read_by_arrow_whatever_stands_above(case, encoding, monkeypatch):
    monkeypatch.setattr(delimited, "_frame", None)  # the other parser would fail
    above, names = ABOVE[case]
    frame = parse_delimited((above + LARGE).encode(encoding), "t.csv")
    assert list(frame) == names
    assert frame[names[0]].tolist() == [str(k) for k in range(60_000)]
    assert frame[names[1]].iloc[-1] == "x, 59999" and frame[names[2]].iloc[0] == "ä"


def test_an_error_late_in_a_large_file_names_its_line():
    with pytest.raises(BadData, match="line 60002: expected 3 fields"):
        parse_delimited(("a,b,c\n" + LARGE + "1,2\n").encode(), "t.csv")


def test_a_large_file_in_another_encoding_is_read_whole():
    text = "a,b,c\n" + LARGE
    assert len(parse_delimited(text.encode("utf-16"), "t.csv")) == 60_000
    with pytest.warns(SlalomWarning, match="read as cp1252"):
        late = "a,b,c\n" + LARGE.replace("ä", "a") + "1,2,ü\n"
        assert parse_delimited(late.encode("cp1252"), "t.csv")["c"].iloc[-1] == "ü"


def test_a_large_file_of_long_cells_is_not_taken_for_one_that_is_cut_off():
    cell = "\n".join(["a line of a long text, as people write them in forms"] * 60)
    text = "a,b,c\n" + f'1,"{cell}",2\n' * 500
    frame = parse_delimited(text.encode(), "t.csv")
    assert len(frame) == 500 and set(frame["b"]) == {cell}
