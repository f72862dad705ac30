"""Other commits of this repository, to be measured beside what is installed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A folder with the whole tree of that commit, gone again afterwards.

    Ends the program, with what git said, if there is no such commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def importing_from(tree: Path | None) -> dict[str, str]:
    """The environment of a program that imports from that tree; from what is installed if None."""
    return {**os.environ, "PYTHONPATH": str(tree)} if tree else dict(os.environ)


def _git(*arguments: str) -> None:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - git
    if done.returncode:
        sys.exit(done.stderr.strip())
