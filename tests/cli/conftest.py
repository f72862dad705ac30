"""A live sandbox as `serve` starts one, and the command line pointed at it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.cli.main import main
from mp_oauth_sandbox.first_run import first_run

if TYPE_CHECKING:
    from click.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        start = first_run(one)
        one.keep(start.application, *start.sellers)
        yield one


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    def invoke(*arguments: str, **options: object) -> "Result":
        env = {"MP_OAUTH_SANDBOX_URL": sandbox.url}
        return CliRunner().invoke(main, list(arguments), env=env, **options)  # type: ignore[arg-type]

    return invoke
