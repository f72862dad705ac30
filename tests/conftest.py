"""What every test shares: how hard properties are tried, which event loop runs, the examples."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mp_oauth_sandbox import Sandbox
    from tests.examples.running import Examples

# No deadline anywhere: on a busy machine it would judge the machine, not the code.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True, derandomize=False)
settings.register_profile("nightly", max_examples=2000, deadline=None, stateful_step_count=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


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
