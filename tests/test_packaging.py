"""What is installed: the public names, the version, the command, the bundled scenarios."""

import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import mp_oauth_sandbox

DISTRIBUTION = "mp-oauth-sandbox"


def run_python(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout


def reading_order(name: str) -> tuple[bool, bool, str]:
    """CONSTANTS, then Classes, then the rest: as ruff sorts `__all__`."""
    return not name.isupper(), not name[0].isupper(), name


def test_public_names_are_listed_once_and_in_order():
    names = list(mp_oauth_sandbox.__all__)

    assert "Sandbox" in names
    assert names == sorted(set(names), key=reading_order)


# Each in a package that has loaded nothing yet, as it is in a program that asks for it first.
EACH_FIRST = """
import sys
from importlib import import_module

for name in sys.argv[1:]:
    for module in [one for one in sys.modules if one.partition(".")[0] == "mp_oauth_sandbox"]:
        del sys.modules[module]
    package = import_module("mp_oauth_sandbox")
    assert getattr(package, name) is getattr(package, name), name
    print(name)
"""


def test_each_public_name_resolves_first_of_all(tmp_path: Path):
    names = list(mp_oauth_sandbox.__all__)

    assert run_python("-W", "error", "-c", EACH_FIRST, *names, cwd=tmp_path).split() == names


def test_public_names_are_offered_to_completion():
    assert set(mp_oauth_sandbox.__all__) <= set(dir(mp_oauth_sandbox))


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = mp_oauth_sandbox.no_such_name  # pyright: ignore[reportAttributeAccessIssue]


def test_the_version_is_the_one_installed():
    assert mp_oauth_sandbox.__version__ == version(DISTRIBUTION)


def test_the_module_runs_as_the_command_does(tmp_path: Path):
    assert version(DISTRIBUTION) in run_python("-m", "mp_oauth_sandbox", "--version", cwd=tmp_path)


@pytest.mark.parametrize(
    ("group", "name"), [("console_scripts", DISTRIBUTION), ("pytest11", "mp_oauth")]
)
def test_an_entry_point_leads_somewhere(group: str, name: str):
    (found,) = entry_points(group=group, name=name)

    assert found.load()


def test_the_scenarios_travel_with_the_package():
    package = Path(mp_oauth_sandbox.__file__).parent
    # Installed they lie inside the package; in a checkout, beside it. Never both, never neither.
    folders = [
        folder
        for folder in (package / "_bundled_scenarios", package.parent / "scenarios")
        if folder.is_dir()
    ]

    assert len(folders) == 1
    assert list(folders[0].glob("*.toml"))
