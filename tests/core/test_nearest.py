"""What differs between two values is shown, and the nearest known one is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.nearest import caret, distance, nearest

WORDS = st.text("abc", max_size=6)


@given(WORDS, WORDS)
def test_the_caret_stands_under_the_first_difference(one: str, other: str):
    column = len(caret(one, other)) - 1
    assert one[:column] == other[:column]
    assert one == other or one[column : column + 1] != other[column : column + 1]


@pytest.mark.parametrize("sent", ["abxd", "abcxd", "abd", "abcdx", "abc"])
def test_one_character_changed_added_or_left_out_is_a_distance_of_one(sent: str):
    assert distance(sent, "abcd") == distance("abcd", sent) == 1


@given(WORDS, WORDS)
def test_only_equal_values_have_no_distance(one: str, other: str):
    assert (distance(one, other) == 0) == (one == other)


def test_of_equally_near_values_the_first_is_taken():
    assert nearest("abc", ["xyz", "abd", "abe"]) == "abd"
