"""The programs of benchmarks/ run. What they measure is for people to judge: no test is timed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def printed(program: str, *options: str) -> str:
    command = [sys.executable, BENCHMARKS / program, *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.parametrize("program", ["flows.py", "walk.py"])
def test_the_help_names_what_it_can_be_held_against(program: str):
    assert "--against REV" in printed(program, "--help")


def test_a_walk_counts_the_calls_it_lists():
    text = printed("walk.py", "--list")

    walks = re.findall(r"^(\S+ \S+) +(\d+) calls +(\d+) files +(\d+) moves$", text, re.MULTILINE)
    assert [request for request, *_ in walks] == ["POST /oauth/token", "GET /authorization"]
    for _, calls, files, moves in walks:
        # Nobody is in so many files without having moved into all but the first.
        assert 0 < int(files) - 1 <= int(moves) < int(calls)
        # What a reader can follow; a hop more needs one that goes.
        assert int(moves) < 26, text
    listed = re.findall(r"^ +\S+\.py  \S+$", text, re.MULTILINE)
    assert len(listed) == sum(int(calls) for _, calls, *_ in walks)


def test_growth_is_told_tenth_by_tenth():
    text = printed("growth.py", "--flows", "200")

    assert len(re.findall(r"^a (?:code|flow) +\d+ bytes$", text, re.MULTILINE)) == 2
    assert re.search(
        r"^a refusal +\d+ us among the first, \d+ among 200 more codes$", text, re.MULTILINE
    )
    tenths = re.findall(r"^ +(\d+)(?: +\d+(?:\.\d+)?){6}$", text, re.MULTILINE)
    assert tenths == [str(20 * tenth) for tenth in range(1, 11)]


def test_a_rough_run_has_a_figure_for_everything():
    text = printed("flows.py", "--quick")

    durations = r"^(process start|Sandbox|reset)\b.* (\d+\.\d+)$"
    ratios = r"^(flows|refreshes)\b.* \d+ +\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\) +(\d+)$"
    figures = re.findall(f"{durations}|{ratios}", text, re.MULTILINE)
    assert len(figures) == 3 + 5, text
    assert all(
        float(milliseconds or microseconds) > 0 for _, milliseconds, _, microseconds in figures
    )
