"""What the tests of the rules share."""

import pytest

from .world import World


@pytest.fixture
def world() -> World:
    """A world with Mercado Pago's defaults."""
    return World()
