"""Fails when the wheel named on the command line lacks something that the checkout has.

Packaging mistakes are silent: an editable install finds templates and scenarios in the checkout
even if no wheel would ever carry them.
"""

import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent

# Folder in the checkout -> folder in the wheel.
CARRIED = {
    "mp_oauth_sandbox": "mp_oauth_sandbox",
    "pytest_plugin/pytest_mp_oauth": "pytest_mp_oauth",
    "scenarios": "mp_oauth_sandbox/_bundled_scenarios",
}
# Patterns that match something in every release; an empty folder would otherwise pass.
REQUIRED = [
    "mp_oauth_sandbox/py.typed",
    "mp_oauth_sandbox/web/pages/templates/*.html",
    "mp_oauth_sandbox/_bundled_scenarios/*.toml",
    "pytest_mp_oauth/py.typed",
    "pytest_mp_oauth/plugin.py",
]


def main() -> int:
    """The number of complaints, printed, as a process wants it: zero or one."""
    with ZipFile(sys.argv[1]) as wheel:
        names = set(wheel.namelist())
    complaints = [
        f"not in the wheel: {pattern}"
        for pattern in REQUIRED
        if not any(Path(name).match(pattern) for name in names)
    ]
    for source, inside in CARRIED.items():
        for file in sorted((ROOT / source).rglob("*")):
            relative = file.relative_to(ROOT / source)
            if file.is_dir() or "__pycache__" in relative.parts:
                continue
            if f"{inside}/{relative.as_posix()}" not in names:
                complaints.append(f"not in the wheel: {file.relative_to(ROOT)}")
    top_level = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    if surplus := top_level - {"mp_oauth_sandbox", "pytest_mp_oauth"}:
        complaints.append(f"in the wheel by accident: {sorted(surplus)}")
    print(*complaints, f"{len(names)} files, {len(complaints)} complaints", sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
