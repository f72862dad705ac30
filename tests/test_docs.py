"""The pages of docs/ do what they say: examples and commands run, tables equal the code."""

import importlib.util
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from mp_oauth_sandbox.cli import check as command
from mp_oauth_sandbox.cli.main import main
from mp_oauth_sandbox.core.reception import Reception
from mp_oauth_sandbox.driver.config import SandboxConfig
from mp_oauth_sandbox.driver.endpoints import Endpoints, Login, StatusPage, Tolerances
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, PORT
from mp_oauth_sandbox.hosting.live import LiveServer
from pytest_mp_oauth.contracts import ExpiryContract, StateContract

ROOT = Path(__file__).parent.parent
APPS = ROOT / "tests" / "apps" / "shop.py"
APPLICATION, SANDBOX = "http://localhost:8000", f"http://127.0.0.1:{PORT}"
QUIET = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, its tables and its fenced blocks."""

    text: str

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)

    def rows(self) -> list[list[str]]:
        """The cells of its tables, without their heads."""
        lines = [line.strip() for line in self.text.splitlines() if line.lstrip().startswith("|")]
        cells = [
            [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines
        ]
        ruler = next(number for number, row in enumerate(cells) if set(row[0]) == {"-"})
        return cells[ruler + 1 :]


def sections(page: str) -> dict[str, Section]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    # A comment in a fenced block is no heading.
    parts = re.split(r"^#{1,3} (.+)\n(?=\n)", text, flags=re.MULTILINE)
    return {
        heading: Section(text=body) for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }


PYTEST, CHECK = sections("pytest.md"), sections("check.md")

#: Every fenced block, by page, heading and language. Those that say why are not run.
BLOCKS: dict[tuple[str, str, str], str] = {
    ("pytest.md", "Install", "sh"): "not run: it would change the environment of this very run",
    ("pytest.md", "An application to test", "python"): "run",
    ("pytest.md", "A first test", "python"): "run",
    ("pytest.md", "A denial", "python"): "run",
    ("pytest.md", "Time travel", "python"): "run",
    ("pytest.md", "The journal", "python"): "run",
    ("pytest.md", "The journal", "text"): "compared",
    ("pytest.md", "Contracts: many tests that you do not write", "python"): "run",
    ("pytest.md", "What is missing is not checked", "text"): "compared",
    ("pytest.md", "What a failure looks like", "python"): "run",
    ("pytest.md", "What a failure looks like", "text"): "compared",
    ("pytest.md", "How hard it tries", "python"): "run",
    ("pytest.md", "How hard it tries", "sh"): "run",
    ("check.md", "Describe your application", "toml"): "run",
    ("check.md", "Run it", "text"): "compared",
    ("check.md", "Against a sandbox that runs already", "sh"): "run",
    ("check.md", "Against a sandbox that runs already", "toml"): "run",
    ("check.md", "The scenarios", "text"): "compared",
    ("check.md", "For programs", "json"): "compared",
    ("check.md", "In CI", "sh"): "run",
}


def test_every_block_is_accounted_for():
    found = {
        (page, heading, language)
        for page, parts in (("pytest.md", PYTEST), ("check.md", CHECK))
        for heading, section in parts.items()
        for language in re.findall(
            r"^```(\w*)\n(?:.*?)^```", section.text, re.MULTILINE | re.DOTALL
        )
    }
    assert found == set(BLOCKS)


# ---- docs/pytest.md ----


@pytest.fixture
def project(pytester: pytest.Pytester, usual_profile: None) -> pytest.Pytester:
    """A folder with every file that the page names; a name that comes again goes on."""
    files: dict[str, str] = {}
    for section in PYTEST.values():
        for block in section.blocks("python"):
            if named := re.match(r"# (\w+\.py)\n", block):
                files[named[1]] = files.get(named[1], "") + block
    for name, text in files.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    return pytester


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} does not hold {old!r} once"
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_tests_of_the_page_pass(project: pytest.Pytester):
    program, *arguments = shlex.split(PYTEST["How hard it tries"].blocks("sh")[0])
    assert program == "pytest"

    done = project.runpytest_inprocess(*QUIET, "-s", *arguments)

    done.assert_outcomes(passed=7)
    shown = PYTEST["The journal"].blocks("text")[0]
    assert without_times(shown) in without_times(done.stdout.str())


def without_times(text: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d POST", "00:00:00 POST", text)


def test_the_application_of_the_page_is_small():
    lines = PYTEST["An application to test"].blocks("python")[0].splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 40


def test_what_is_missing_is_said_as_the_page_says(project: pytest.Pytester):
    contracts = project.path / "test_contracts.py"
    replace_in(contracts, '    status=StatusPage(url="/status"),\n', "")
    replace_in(contracts, ", move_clock=shop.move_clock", "")

    done = project.runpytest_inprocess(*QUIET, "-rs", "-k", "p6 or p14", contracts)

    done.assert_outcomes(skipped=2, deselected=1)
    for line in PYTEST["What is missing is not checked"].blocks("text")[0].splitlines():
        assert line in done.stdout.str()


def test_the_mistake_of_the_page_fails_as_shown(project: pytest.Pytester):
    section = PYTEST["What a failure looks like"]
    right = '        if expected is None or given.get("state") != expected:\n'
    replace_in(project.path / "shop.py", right, section.blocks("python")[0])

    # A process of its own, for the seed would stay in this one.
    done = project.runpytest_subprocess(*QUIET, "-k", "p1_", "--hypothesis-seed=0")

    done.assert_outcomes(failed=1, deselected=6)
    assert section.blocks("text")[0] in done.stdout.str()


def test_the_table_of_fixtures_is_that_of_the_plugin(pytester: pytest.Pytester):
    listed = pytester.runpytest_inprocess("--fixtures").stdout.str()
    found = re.findall(r"^(mp_\w+)(?: \[(\w+) scope\])? -- ", listed, re.MULTILINE)

    rows = PYTEST["The fixtures"].rows()

    assert sorted((name.strip("`"), scope) for name, scope, _ in rows) == sorted(
        (name, scope or "function") for name, scope in found
    )


def test_the_table_of_properties_names_every_property_of_the_contracts():
    rows = PYTEST["Contracts: many tests that you do not write"].rows()

    assert {(name.lower(), contract.strip("`")) for name, contract, *_ in rows} == {
        (method.split("_")[1], contract.__name__)
        for contract in (StateContract, ExpiryContract)
        for method in vars(contract)
        if method.startswith("test_")
    }


# ---- docs/check.md ----


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where an application and a sandbox are in this test, instead of where the page says."""

    application: str
    sandbox: str

    def moved(self, text: str) -> str:
        return text.replace(APPLICATION, self.application).replace(SANDBOX, self.sandbox)


@pytest.fixture
def serve_shop() -> Iterator[Callable[..., str]]:
    """Start an application by class name, for a sandbox at some URL; returns its URL."""
    spec = importlib.util.spec_from_file_location("shop_of_the_docs", APPS)
    assert spec is not None
    assert spec.loader is not None
    shops: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = shops
    spec.loader.exec_module(shops)
    with ExitStack() as servers:

        def start(name: str, *, mp_url: str) -> str:
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            url = f"http://localhost:{sock.getsockname()[1]}"
            shop = getattr(shops, name)(
                mp_url=mp_url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, base_url=url
            )
            servers.enter_context(LiveServer(shop.asgi, sock=sock))
            return url

        yield start
    del sys.modules[spec.name]


@pytest.fixture
def check(serve_shop: Callable[..., str], tmp_path: Path) -> Callable[..., Result]:
    """Run the command with the page's TOML against an application, and a sandbox of its own."""

    def run(shop: str, *arguments: str, toml: str) -> Result:
        sandbox = f"http://127.0.0.1:{free_port()}"
        ports = Ports(application=serve_shop(shop, mp_url=sandbox), sandbox=sandbox)
        config = tmp_path / "mp-sandbox.toml"
        own = f"\n[sandbox]\nport = {sandbox.rpartition(':')[2]}\n"
        config.write_text(ports.moved(toml) + own, encoding="utf-8")
        return CliRunner().invoke(main, ["check", "--config", str(config), *arguments])

    return run


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


SMALLEST, STATUS = CHECK["Describe your application"].blocks("toml")
TOML = f"{SMALLEST}\n{STATUS}"


def test_the_transcripts_are_those_of_a_correct_and_a_broken_application(
    check: Callable[..., Result],
):
    correct, broken = CHECK["Run it"].blocks("text")

    assert check("Shop", toml=TOML).output == correct
    assert check("AnyGenuineStateShop", toml=TOML).output == broken


def test_the_smallest_configuration_is_enough_for_some_scenarios(check: Callable[..., Result]):
    assert check("Shop", toml=SMALLEST).output.endswith("\n1 held, 2 not checked\n")


def test_the_exit_codes_are_those_of_the_command_and_its_help(check: Callable[..., Result]):
    rows = CHECK["Exit codes"].rows()
    usage = CliRunner().invoke(main, ["check", "-h"]).output
    told = re.findall(r"^ +(\d)  (.+)$", usage, re.MULTILINE)

    assert [(code, meaning) for code, meaning in rows] == told
    assert [int(code) for code, _ in rows] == [
        check("Shop", "--strict", toml=TOML).exit_code,
        command.VIOLATED,
        command.UNUSABLE,
        command.UNCHECKED,
    ]
    assert check("AnyGenuineStateShop", toml=TOML).exit_code == command.VIOLATED
    assert check("LinksNobodyShop", toml=TOML).exit_code == command.UNUSABLE
    assert check("Shop", "--strict", toml=SMALLEST).exit_code == command.UNCHECKED


def test_the_json_is_that_of_the_command(check: Callable[..., Result]):
    section = CHECK["For programs"]
    arguments = re.findall(r"`mp-oauth-sandbox check ([^`]+)`", section.text)[0].split()

    printed = check("Shop", *arguments, toml=TOML).output

    assert json.loads(printed) == json.loads(section.blocks("json")[0])
    named = section.text.partition("Each of `findings`")[2].partition(":")[0]
    assert re.findall(r"`(\w+)`", named) == [field.name for field in fields(Finding)]


def test_the_list_of_scenarios_is_that_of_the_command():
    listed = CliRunner().invoke(main, ["check", "--list"]).output

    assert CHECK["The scenarios"].blocks("text")[0] == listed


def test_the_verdicts_are_those_of_the_code():
    assert [name.strip("`") for name, _ in CHECK["Verdicts"].rows()[: len(Verdict)]] == list(
        Verdict
    )


def test_the_options_that_the_page_names_exist():
    named = set(re.findall(r"(?<![\w-])(--[a-z]+)", "".join(one.text for one in CHECK.values())))
    options = {option for one in command.check.params for option in one.opts}

    # Of `serve`, in the section about a sandbox that runs already.
    assert named - {"--redirect"} <= options


def test_the_settings_are_those_of_a_first_run():
    values = dict(CHECK["Run it"].rows())

    assert values["Authorization URL"] == f"`{SANDBOX}/authorization`"
    assert values["API URL (`/oauth/token`, `/users/me`)"] == f"`{SANDBOX}`"
    assert values["Client id"] == f"`{CLIENT_ID}`"
    assert values["Client secret"] == f"`{CLIENT_SECRET}`"


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("`[integration]`", Endpoints),
        ("`[integration.login]`", Login),
        ("`[integration.status]`", StatusPage),
        ("`[integration.tolerances]`", Tolerances),
        ("`[sandbox]`", SandboxConfig),
    ],
)
def test_the_tables_of_keys_are_those_of_the_code(heading: str, struct: type[msgspec.Struct]):
    assert [(key.strip("`"), default) for key, default, _ in CHECK[heading].rows()] == [
        (field.name, default_of(field)) for field in msgspec.structs.fields(struct)
    ]


def default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is None:
        return "none"
    if isinstance(default, msgspec.Struct):
        return "its defaults"
    return f"`{json.dumps(default)}`"


# ---- its commands, in a shell ----


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which the command is this checkout's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "mp-oauth-sandbox", f'exec "{sys.executable}" -P -m mp_oauth_sandbox "$@"')
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "NO_COLOR": "1"}


def script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


SERVE_SHOP = """\
import sys
sys.path.insert(0, {apps!r})
import shop, uvicorn
app = shop.{shop}(mp_url={mp_url!r}, client_id={client_id!r}, client_secret={client_secret!r},
                  base_url="http://localhost:{port}")
uvicorn.run(app.asgi, host="127.0.0.1", port={port}, log_level="critical")
"""


@pytest.mark.parametrize(("shop", "code"), [("Shop", 0), ("AnyGenuineStateShop", command.VIOLATED)])
def test_the_ci_script_succeeds_only_for_a_correct_application(
    shop: str, code: int, shell: dict[str, str], tmp_path: Path
):
    port, sandbox_port = free_port(), free_port()
    program = SERVE_SHOP.format(
        apps=str(APPS.parent),
        shop=shop,
        mp_url=f"http://127.0.0.1:{sandbox_port}",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        port=port,
    )
    (tmp_path / "serve_shop.py").write_text(program, encoding="utf-8")
    script(
        tmp_path / "bin" / "run-my-application",
        f'exec "{sys.executable}" "{tmp_path / "serve_shop.py"}"',
    )
    toml = TOML.replace(APPLICATION, f"http://localhost:{port}")
    (tmp_path / "mp-sandbox.toml").write_text(
        f"{toml}\n[sandbox]\nport = {sandbox_port}\n", encoding="utf-8"
    )

    done = subprocess.run(
        ["/bin/sh", "-c", CHECK["In CI"].blocks("sh")[0]],
        cwd=tmp_path,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""


def test_a_sandbox_that_runs_already_is_used(
    shell: dict[str, str], serve_shop: Callable[..., str], tmp_path: Path
):
    section = CHECK["Against a sandbox that runs already"]
    sandbox = f"http://127.0.0.1:{free_port()}"
    ports = Ports(application=serve_shop("Shop", mp_url=sandbox), sandbox=sandbox)
    serve = ports.moved(section.blocks("sh")[0]).strip()
    config = tmp_path / "mp-sandbox.toml"
    config.write_text(ports.moved(f"{TOML}\n{section.blocks('toml')[0]}"), encoding="utf-8")

    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {serve} --port {sandbox.rpartition(':')[2]}"],
        env=shell,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("Exchanges appear below.") for line in process.stdout)
            done = CliRunner().invoke(main, ["check", "--config", str(config)])
        finally:
            process.terminate()

    assert done.output.endswith("\n3 held\n")


def test_the_page_of_webhooks_lists_every_reception():
    rows = sections("webhooks.md")["What the journal says of your receiver"].rows()

    assert [row[0].strip("`") for row in rows] == [one.value for one in Reception]
