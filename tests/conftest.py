"""What every test shares: what waits for the night, how hard properties are tried, the examples."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.pytester import SysModulesSnapshot
from hypothesis import settings

if TYPE_CHECKING:
    from mp_oauth_sandbox import Sandbox
    from tests.examples.running import Examples

# No deadline anywhere: on a busy machine it would judge the machine, not the code.
settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True, derandomize=False)
settings.register_profile("nightly", max_examples=1000, deadline=None, stateful_step_count=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Nothing is encrypted here, and every HTTP client, in any process, would read all the authorities
# of the system first, for longer than most tests take. This folder has none.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--nightly",
        action="store_true",
        help="run the tests marked `nightly` too; without it, whatever -m says, they are left out",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A rule and not a default `-m`, which any other `-m` would replace."""
    if config.getoption("--nightly"):
        return
    waiting = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=waiting)
    items[:] = [item for item in items if item not in waiting]


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """pytest's own, which forgets of a run in this process only what lay in its own folder.

    Else it forgets whatever was first imported there, and a library that is imported again has
    other classes: errors of the new `httpcore` are not those that the old `httpx` translates.
    """

    def stays(name: str) -> bool:
        file = getattr(sys.modules.get(name), "__file__", None)
        return file is None or not Path(file).is_relative_to(pytester.path)

    def snapshot(_: pytest.Pytester) -> SysModulesSnapshot:
        return SysModulesSnapshot(preserve=stays)

    monkeypatch.setattr(pytest.Pytester, "_Pytester__take_sys_modules_snapshot", snapshot)
    pytester._sys_modules_snapshot = snapshot(pytester)
    return pytester


@pytest.fixture
def usual_profile() -> Iterator[None]:
    """Whatever profile of Hypothesis the test loads, the one of this run is back after it."""
    usual = settings.get_current_profile_name()
    yield
    settings.load_profile(usual)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def examples(
    mp_server: "Sandbox", tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Examples]":
    """The programs of `examples/`: each starts when a test first wants it, and stops at the end."""
    from tests.examples.running import Examples, shared_folder

    with Examples(mp_server, shared_folder(tmp_path_factory)) as examples:
        yield examples
