"""What the contracts share: a new store of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mp_oauth_sandbox.stores.protocol import DEAD_KEPT, Store

from .kinds import MAKERS


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.name)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = request.param.open(tmp_path, DEAD_KEPT)
    yield store
    store.close()
