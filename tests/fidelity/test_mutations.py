"""Mutations: each finds its one place in the code, however that is written and wherever it is."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from .behaviours import Behaviour, Subject, behaviours
from .mutations import Library, MutationError

HOUSE = """
LIMIT: int = 3

class Door:
    def opens(self, key):
        if (key.owner
                not in self.owners): return refuse("stranger", status=403)  # a comment
        return f"for {key.owner}" or None
"""


def rule(at: str, by: str, replace: str | None = None) -> Behaviour:
    return Behaviour(
        subject=Subject.OWN,
        id="own-door",
        what="A door opens.",
        evidence="guess",
        source="The sandbox's own.",
        test="test_door",
        at=at,
        by=by,
        replace=replace,
    )


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(tmp_path, {"house": HOUSE, "shed": "LOCK = 1\nclass Door: pass\n"})


def library_of(folder: Path, modules: dict[str, str]) -> Library:
    package = folder / "estate"
    package.mkdir()
    for name, source in modules.items():
        (package / f"{name}.py").write_text(source, encoding="utf-8")
    return Library(package)


def code(source: str) -> str:
    return ast.unparse(ast.parse(source))


def changed(source: str, without: str) -> list[str]:
    """The lines of code that were not there before."""
    before = code(source).splitlines()
    return [line for line in without.splitlines() if line not in before]


def test_every_row_s_mutation_has_one_place_and_changes_it():
    spec = find_spec("mp_oauth_sandbox")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    library = Library(package)
    complaints: list[str] = []

    for row in behaviours():
        try:
            file, without = library.without(row)
        except MutationError as error:
            complaints.append(str(error))
        else:
            if without == code((package.parent / file).read_text(encoding="utf-8")):
                complaints.append(f"{row.id}: `by` is what stood there")

    assert complaints == []


@pytest.mark.parametrize(
    ("at", "replace", "by", "line"),
    [
        ("opens", "key.owner not in self.owners", "False", "if False:"),
        ("Door.opens", "status=403", "status=404", "return refuse('stranger', status=404)"),
        ("house.Door.opens", "self.owners", "()", "if key.owner not in ():"),
        (
            "house.Door.opens",
            'f"for {key.owner}"',
            "1 if key else 2",
            "return (1 if key else 2) or None",
        ),
        ("LIMIT", None, "4", "LIMIT: int = 4"),
    ],
)
def test_one_expression_or_argument_or_constant_gives_way(
    library: Library, at: str, replace: str | None, by: str, line: str
):
    file, without = library.without(rule(at, by, replace))

    assert file == Path("estate/house.py")
    assert len(changed(HOUSE, without)) == 1
    assert changed(HOUSE, without)[0].strip() == line


def test_a_rule_that_moved_to_another_file_is_found_there(tmp_path: Path):
    moved = library_of(tmp_path, {"house": "from estate.barn import Door", "barn": HOUSE})

    assert moved.without(rule("LIMIT", "4"))[0] == Path("estate/barn.py")


@pytest.mark.parametrize(
    ("at", "replace", "problem"),
    [
        ("window", None, "not nothing"),
        ("Door", None, "not estate.house.Door, estate.shed.Door"),
        ("opens", "key.colour", "is 0 times in estate.house.Door.opens"),
        ("opens", "key", "is 2 times"),
        ("opens", None, "is no constant"),
    ],
)
def test_what_is_not_one_place_is_an_error_that_says_what_it_is(
    library: Library, at: str, replace: str | None, problem: str
):
    with pytest.raises(MutationError, match=f"own-door: .*{problem}"):
        library.without(rule(at, "0", replace))
