"""Every page of docs/ that tells a story is played from top to bottom."""

from pathlib import Path

import pytest

from .pages import DOCS, Reader, assert_printed

#: Pages whose blocks tests/test_docs.py and tests/test_benchmarks.py run in their own way, those
#: made from tables, and the one about these tests.
ELSEWHERE = {"pytest.md", "check.md", "fidelity.md", "nightly.md", "performance.md"}

PAGES = sorted({page.name for page in DOCS.glob("*.md")} - ELSEWHERE)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, tmp_path: Path):
    with Reader(tmp_path) as reader:
        assert reader.read(page) > 0


def test_a_page_that_shows_something_else_is_found():
    with pytest.raises(AssertionError, match=r"x\.md:3 should show"):
        assert_printed("one\ntwo\n", "one\nthree", where="x.md:3")


def test_the_commands_of_the_readme_do_what_they_say(tmp_path: Path):
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Make it go wrong\n")[1].split("\n## ")[0]
    commands = section.split("```sh\n")[1].split("```")[0]

    with Reader(tmp_path) as reader:
        tokens = reader.serve_and_link()
        printed = reader.run(f"set -e; TOKEN={tokens['refresh_token']}\n{commands}", "README.md")

    assert "f1 lose-response on refresh (match 1)" in printed
    assert "revocation: unlinked" in printed
    assert "now: would be refused: link_revoked" in printed
