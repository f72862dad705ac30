"""A pytest plugin of remove_rules.py: where the library came from, and how each test ended.

Writes JSON to the file that RULE_WITNESS names.
"""

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ended: dict[str, str] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell a failed assertion from whatever else may end a test."""
    report = yield
    if call.excinfo is None:
        ended.setdefault(item.nodeid, "passed")
    elif call.when == "call" and call.excinfo.errisinstance(
        (AssertionError, pytest.fail.Exception)
    ):
        ended[item.nodeid] = "failed"
    else:
        ended[item.nodeid] = f"{call.excinfo.exconly()} ({call.when})"
    return report


def pytest_sessionfinish() -> None:
    """Write down what was seen."""
    files = {
        str(module.__file__)
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in {"mp_oauth_sandbox", "pytest_mp_oauth"} and module.__file__
    }
    seen = {"files": sorted(files), "ended": ended}
    Path(os.environ["RULE_WITNESS"]).write_text(json.dumps(seen), encoding="utf-8")
