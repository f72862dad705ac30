"""Fails when a green test run proves less than it seems to.

Usage: check_run.py JUNIT_XML. Every test under tests/browser must have run, and what coverage
measured must be the installed copy, not the checkout that lies beside the tests.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """The number of complaints, printed, as a process wants it: zero or one."""
    cases = [
        case
        for case in ElementTree.parse(sys.argv[1]).iter("testcase")  # noqa: S314 - our own file
        if case.get("classname", "").startswith("tests.browser.")
    ]
    complaints = [
        f"skipped: {case.get('classname')}.{case.get('name')}"
        for case in cases
        if case.find("skipped") is not None
    ]
    if not cases:
        complaints.append("no browser test ran")

    coverage = Coverage()
    coverage.load()
    measured = coverage.get_data().measured_files()
    complaints += [
        f"measured in the checkout, not as installed: {file}"
        for file in sorted(measured)
        if Path(file).is_relative_to(ROOT / "mp_oauth_sandbox")
        or Path(file).is_relative_to(ROOT / "pytest_plugin")
    ]
    if not measured:
        complaints.append("coverage measured nothing")
    print(
        *complaints,
        f"{len(cases)} browser tests, {len(measured)} files measured, {len(complaints)} complaints",
        sep="\n",
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
