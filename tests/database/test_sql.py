"""Lists of values in statements."""

import pytest

from mission_control.database.sql import converted, in_list


@pytest.mark.parametrize(
    ("number", "length"), [(1, 1), (2, 2), (3, 4), (5, 8), (200, 256), (1024, 1024), (1025, 2048), (2049, 3072)]
)
def test_in_list_has_few_lengths(number: int, length: int) -> None:
    marks, values = in_list(range(number))
    assert marks.count("?") == len(values) == length
    assert sorted(set(values)) == list(range(number))


def test_columns_of_no_rows_are_converted_to_no_rows() -> None:
    assert list(converted([], [(0, str)])) == []


def test_in_list_of_nothing_is_empty() -> None:
    assert in_list(()) == ("", [])
