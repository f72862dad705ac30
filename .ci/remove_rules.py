"""Fails when a rule can be taken out of the code and its test does not notice.

tests/fidelity/behaviours.toml names for each behaviour the test that holds it and a mutation that
removes it. Some are drawn, or all taken; each is removed from a copy of the installed library, and
its test must fail there, by an assertion of its own.
"""

import argparse
import compileall
import json
import os
import queue
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from py_compile import PycInvalidationMode

# Last, so that the installed library comes before anything of the checkout.
sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from fidelity.behaviours import Behaviour, behaviours
from fidelity.mutations import Library, MutationError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mp_oauth_sandbox", "pytest_mp_oauth")
AT_ONCE = 2
#: Seconds for one test; it needs one or two.
PATIENCE = 120


def commit() -> str:
    """The commit that is checked out; elsewhere, something random."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or secrets.token_hex(8)


def copy_library(target: Path) -> Path:
    """A copy of the installed library in `target`, and the witness beside it."""
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{package} is not installed")
        source = Path(spec.origin).parent
        shutil.copytree(source, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".ci" / "rule_witness.py", target)
    # By content, not by time: a mutation may be of the same size and the same second.
    compileall.compile_dir(
        target, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH, workers=1
    )
    return target


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[dict[str, str], str]:
    """How each of these tests ends with that copy, and what pytest printed."""
    witness = copy / "witness.json"
    witness.unlink(missing_ok=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    # -P: the checkout, where this runs, must not come before the copy.
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "--no-header", "--tb=short"]
    for plugin in ("no:randomly", "no:xdist", "no:cacheprovider", "rule_witness"):
        command += ["-p", plugin]
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=ROOT,
            env=kept
            | {
                "PYTHONPATH": str(copy),
                "PYTHONDONTWRITEBYTECODE": "1",
                "RULE_WITNESS": str(witness),
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return {"pytest": f"did not end within {PATIENCE} s"}, ""
    if not witness.exists():
        return {"pytest": f"ended with exit code {done.returncode}"}, done.stdout + done.stderr
    seen = json.loads(witness.read_text(encoding="utf-8"))
    foreign = [file for file in seen["files"] if not Path(file).is_relative_to(copy)]
    if foreign:
        return {"pytest": f"imported {foreign[0]}, not the copy"}, done.stdout
    if not seen["files"]:
        return {"pytest": "imported nothing of the library"}, done.stdout
    return seen["ended"], done.stdout + done.stderr


def complaint(test: str, ended: Mapping[str, str]) -> str | None:
    """What is wrong when a rule's test ended so without the rule, or None."""
    if not ended:
        return f"no such test: {test}"
    others = [f"{test}: {how}" for test, how in ended.items() if how not in {"passed", "failed"}]
    if others:
        return (
            f"without the rule its test does not fail, it breaks: {others[0]}."
            " Mend the mutation in tests/fidelity/behaviours.toml"
        )
    if "failed" not in ended.values():
        return (
            f"without the rule {test} still passes. Make the test see it, or name another in"
            " tests/fidelity/behaviours.toml"
        )
    return None


def remove(copy: Path, library: Library, rule: Behaviour) -> tuple[str | None, str]:
    """Take one rule out of the copy, run its test, and put the rule back."""
    try:
        file, without = library.without(rule)
    except MutationError as error:
        return str(error), ""
    whole = (copy / file).read_bytes()
    (copy / file).write_text(without, encoding="utf-8")
    try:
        ended, printed = run_tests(copy, [rule.test])
    finally:
        (copy / file).write_bytes(whole)
    return complaint(rule.test, ended), printed


def chosen(rules: Collection[str], asked: argparse.Namespace) -> list[str]:
    """The ids to remove: the named, all, or some drawn by the seed."""
    if unknown := [name for name in asked.ids if name not in rules]:
        raise SystemExit(f"tests/fidelity/behaviours.toml has no {', '.join(unknown)}")
    if asked.ids or asked.all:
        return asked.ids or list(rules)
    seed = asked.seed or commit()
    print(f"{asked.draw} of {len(rules)} rules, drawn with --seed {seed}", flush=True)
    drawn = random.Random(seed).sample(sorted(rules), min(asked.draw, len(rules)))  # noqa: S311 - no secret
    return sorted(drawn)


def main() -> int:
    """The number of complaints, printed, as a process wants it: zero or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="these rules, whatever is drawn")
    parser.add_argument("--draw", type=int, default=20, help="how many to draw (20)")
    parser.add_argument("--seed", help="what to draw with (the commit that is checked out)")
    parser.add_argument("--all", action="store_true", help="every rule")
    asked = parser.parse_args()
    rules = {row.id: row for row in behaviours()}
    ids = chosen(rules, asked)
    started = time.monotonic()
    complaints: list[str] = []
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as workers:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(AT_ONCE):
            copies.put(copy_library(Path(scratch).resolve() / str(number)))
        whole = Path(scratch).resolve() / "0"
        library = Library(whole / "mp_oauth_sandbox")

        def judge(name: str) -> tuple[str | None, str]:
            copy = copies.get()
            try:
                return remove(copy, library, rules[name])
            finally:
                copies.put(copy)

        # With every rule in place each test passes; else its failure would prove nothing.
        ended, printed = run_tests(whole, sorted({rules[name].test for name in ids}))
        if set(ended.values()) != {"passed"}:
            wrong = [f"{test}: {how}" for test, how in ended.items() if how != "passed"]
            print(printed, "With no rule removed, this does not pass:", *wrong, sep="\n")
            return 1
        running = {workers.submit(judge, name): name for name in ids}
        for number, done in enumerate(as_completed(running), start=1):
            name, (problem, printed) = running[done], done.result()
            print(f"[{number:3}/{len(ids)}] {name}: {problem or 'its test failed'}", flush=True)
            if problem:
                complaints.append(name)
                print(printed, flush=True)
    took = time.monotonic() - started
    print(f"{len(ids)} rules removed, {len(complaints)} complaints, {took:.0f} s")
    if complaints:
        print("Again: .ci/remove_rules.py", *sorted(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
