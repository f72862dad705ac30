"""What every test shares: how hard properties are tried, and which event loop runs."""

import os

import pytest
from hypothesis import settings

# No deadline anywhere: on a busy machine it would judge the machine, not the code.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True, derandomize=False)
settings.register_profile("nightly", max_examples=2000, deadline=None, stateful_step_count=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
