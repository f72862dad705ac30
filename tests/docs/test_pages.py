"""Every page of docs/ that tells a story is played from top to bottom."""

from pathlib import Path

import pytest

from .pages import DOCS, Reader, assert_printed

#: Pages whose blocks tests/test_docs.py runs in its own way, and those made from tables.
ELSEWHERE = {"pytest.md", "check.md", "fidelity.md"}

PAGES = sorted({page.name for page in DOCS.glob("*.md")} - ELSEWHERE)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, tmp_path: Path):
    with Reader(tmp_path) as reader:
        assert reader.read(page) > 0


def test_a_page_that_shows_something_else_is_found():
    with pytest.raises(AssertionError, match=r"x\.md:3 should show"):
        assert_printed("one\ntwo\n", "one\nthree", where="x.md:3")
