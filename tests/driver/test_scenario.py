"""Scenario files: found, read, and refused with the key at fault."""

from pathlib import Path

import pytest

from mp_oauth_sandbox.driver.errors import ConfigError
from mp_oauth_sandbox.driver.scenario import (
    DeliverStep,
    load_scenario,
    scenario_folder,
    scenario_names,
)

STORY = """\
title = "t"
severity = "low"
story = "s"
passes = "p"
[[steps]]
do = "deliver"
actor = "A"
"""


@pytest.mark.parametrize("name", scenario_names())
def test_a_bundled_scenario_is_complete(name: str):
    scenario = load_scenario(name)

    assert scenario.name == name
    assert len(scenario.title) < 70
    assert scenario.story.strip()
    # Every expectation says what to do where it is not met.
    expected = [step.expect for step in scenario.steps if isinstance(step, DeliverStep)]
    assert expected
    assert all(one.because for one in expected)


def test_the_readme_lists_every_scenario_with_its_severity_and_title():
    readme = (scenario_folder() / "README.md").read_text(encoding="utf-8")

    rows = [
        f"| `{name}` | {load_scenario(name).severity} | {load_scenario(name).title} |"
        for name in scenario_names()
    ]
    assert [line for line in readme.splitlines() if line in rows] == rows


def test_a_scenario_of_ones_own_is_read_from_its_path(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(STORY, encoding="utf-8")

    assert load_scenario(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"low"', '"lowish"', "severity: invalid enum value 'lowish'; allowed are critical"),
        (
            "actor",
            "actress",
            "mine.toml: steps[0].actress: there is no such key; remove it; did you mean",
        ),
        ('"deliver"', '"post"', "invalid value 'post'"),
        ('title = "t"\n', "", "mine.toml: title: it is missing; add it"),
        ("[[steps]]", "[[steps", "it is not valid TOML"),
    ],
)
def test_a_mistake_in_a_scenario_names_its_key(tmp_path: Path, old: str, new: str, said: str):
    path = tmp_path / "mine.toml"
    path.write_text(STORY.replace(old, new), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_scenario(str(path))

    assert said in str(caught.value)


def test_a_path_to_nothing_cannot_be_read(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(str(tmp_path / "none.toml"))
