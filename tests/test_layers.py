"""Who may import whom: the order of the house, held by reading every import in it."""

import ast
import io
import json
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

LIBRARY = "mp_oauth_sandbox"
PLUGIN = "pytest_mp_oauth"

# From the bottom up. A layer imports its own level and the levels below.
LEVELS = [
    {"core", "support"},
    {"wire", "stores", "journal", "faults", "resources"},
    {"control"},
    {"engine"},
    {"explain", "webhooks"},
    {"web"},
    {"hosting"},
    {"sandbox"},
    {"first_run"},
    {"driver"},
    {"cli", PLUGIN},
    {"__main__"},
]
LEVEL = {layer: level for level, layers in enumerate(LEVELS) for layer in layers}
# The reference client stands beside the house: nothing of it is imported by the client.
CLIENT = "client"
# The names of the package itself lead to the sandbox; its version leads nowhere.
DOOR = "sandbox"

# Time, luck and the outside world are arguments of the core, never imports.
IMPURE = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
}
CLOCK_READINGS = {"now", "utcnow", "today", "uuid1", "uuid4"}


def modules(package: str) -> dict[str, Path]:
    """Every module of an installed package by its dotted name, wherever it is installed."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.submodule_search_locations
    found: dict[str, Path] = {}
    for location in map(Path, spec.submodule_search_locations):
        for file in sorted(location.rglob("*.py")):
            parts = file.relative_to(location).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            found[".".join((package, *parts))] = file
    return found


def imports(module: str, source: str, *, is_package: bool = False) -> Iterator[str]:
    """Absolute names of what a module imports, at its top, inside functions, or for types only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                kept = len(parents) - node.level + is_package
                base = ".".join([*parents[:kept], *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def layer_of(name: str, *, known: set[str]) -> str:
    """The layer a dotted name of this project belongs to."""
    parts = name.split(".")
    if parts[0] == PLUGIN:
        return PLUGIN
    return parts[1] if len(parts) > 1 and f"{LIBRARY}.{parts[1]}" in known else DOOR


def complaints(
    module: str, source: str, *, known: set[str], is_package: bool = False
) -> Iterator[str]:
    """One line for each import of a module that points the wrong way."""
    own = layer_of(module, known=known | {module})
    if own != CLIENT and own not in LEVEL:
        yield f"{module}: layer {own!r} has no place in LEVELS"
        return
    for name in imports(module, source, is_package=is_package):
        top = name.split(".")[0]
        ours = top in {LIBRARY, PLUGIN}
        theirs = layer_of(name, known=known) if ours else None
        if top in {"pytest", "_pytest", "hypothesis"}:
            allowed = own == PLUGIN
        elif own in {"core", CLIENT}:
            allowed = (
                theirs == own
                or top in sys.stdlib_module_names
                or top == {CLIENT: "httpx", "core": "msgspec"}[own]
            )
        elif theirs is None or theirs == CLIENT or name == f"{LIBRARY}.__version__":
            allowed = True
        else:
            allowed = LEVEL[theirs] <= LEVEL[own]
        if not allowed:
            yield f"{module} ({own}) imports {name}"


def impurities(module: str, source: str) -> Iterator[str]:
    """One line for each place where a core module reads a clock, or luck, or waits."""
    for name in imports(module, source):
        if any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE):
            yield f"{module} imports {name}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{module}:{node.lineno} waits"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCK_READINGS
        ):
            yield f"{module}:{node.lineno} calls {node.func.attr}()"


def house() -> dict[str, Path]:
    """Every module with a place in the order: all but the two packages' own front pages."""
    found = modules(LIBRARY) | modules(PLUGIN)
    return {name: file for name, file in found.items() if name != LIBRARY}


def loaded_by(statement: str, *, after: str = "", cwd: Path) -> set[str]:
    """Modules that a statement loads in a fresh interpreter, beyond Python's own and `after`."""
    script = f"""
import json, sys
{after}
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    # Elsewhere than in the checkout, so that the installed copy is the one found.
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=cwd, check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout)
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def packages(names: set[str]) -> set[str]:
    """The packages that modules belong to."""
    return {name.split(".")[0] for name in names}


_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(source: str) -> int:
    """Lines that are neither blank, nor comment, nor docstring."""
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (ast.get_docstring(node) is not None):
            first = node.body[0]
            prose.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - prose)


def test_every_import_points_down():
    found = house()
    layers = {layer_of(name, known=set(found)) for name in found}

    wrong = [
        line
        for name, file in found.items()
        for line in complaints(
            name,
            file.read_text(encoding="utf-8"),
            known=set(found),
            is_package=file.name == "__init__.py",
        )
    ]

    assert wrong == []
    assert layers >= {"core", "stores", "engine", "web", "hosting", "sandbox", "cli", PLUGIN}


#: What describes the control API may know: no more, so that whoever calls it loads no more.
DESCRIBED_BY = ("control", "core", "faults.kinds", "journal.entries")


def test_what_describes_the_control_api_knows_neither_server_nor_engine():
    found = {
        name: file
        for name, file in house().items()
        if layer_of(name, known=set(house())) == "control"
    }
    ours = {
        f"{name} imports {imported}"
        for name, file in found.items()
        for imported in imports(name, file.read_text(encoding="utf-8"))
        if imported.split(".")[0] == LIBRARY
        and not imported.startswith(tuple(f"{LIBRARY}.{one}." for one in DESCRIBED_BY))
    }

    assert len(found) > 10
    assert {line for line in ours if " imports mp_oauth_sandbox.control" not in line} == set()


def names_of(source: str) -> Iterator[str]:
    """The classes of a module and its own names of types, without what marks them private."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                continue
            case ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case _:
                continue
        name = name.lstrip("_")
        if name[:1].isupper() and not name.isupper():
            yield name


def test_one_name_means_one_thing():
    homes: dict[str, list[str]] = {}
    for module, file in house().items():
        if not f"{module}.".startswith(f"{LIBRARY}.{CLIENT}."):
            for name in names_of(file.read_text(encoding="utf-8")):
                homes.setdefault(name, []).append(module)

    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
    assert {"Entry", "Sandbox", "Call", "Answer"} <= homes.keys()


def test_only_what_users_start_with_lies_at_the_top():
    top = {name for name in modules(LIBRARY) if name.count(".") == 1}
    files = {name for name in top if modules(LIBRARY)[name].name != "__init__.py"}

    assert files == {f"{LIBRARY}.{name}" for name in ("__main__", "first_run", "sandbox")}


def test_the_core_reads_no_clock_and_no_luck_and_never_waits():
    core = {name: file for name, file in house().items() if name.startswith(f"{LIBRARY}.core.")}

    wrong = [
        line
        for name, file in core.items()
        for line in impurities(name, file.read_text(encoding="utf-8"))
    ]

    assert len(core) >= 5
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.redeem", "import httpx"),
        ("core.redeem", "from mp_oauth_sandbox.stores import Store"),
        ("core.redeem", "from ..stores.memory import MemoryStore"),
        ("core.redeem", "from mp_oauth_sandbox import Sandbox"),
        ("stores.memory", "from mp_oauth_sandbox.engine.engine import Engine"),
        ("wire.parse", "from ..web import bodies"),
        ("engine", "def late():\n    from mp_oauth_sandbox.web import app"),
        ("web.app", "from mp_oauth_sandbox import hosting"),
        ("hosting.live", "import mp_oauth_sandbox.sandbox"),
        (
            "sandbox",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .driver import run",
        ),
        ("driver.jars", "import pytest"),
        ("driver.jars", "from hypothesis import given"),
        ("driver.jars", "import pytest_mp_oauth.plugin"),
        ("client.flow", "from mp_oauth_sandbox.core import pkce"),
        ("client.flow", "import starlette"),
        ("web.control", "from mp_oauth_sandbox import Sandbox"),
        ("utils", "import json"),
    ],
)
def test_an_import_that_points_the_wrong_way_is_found(module: str, source: str):
    known = {f"{LIBRARY}.{layer}" for layer in (*LEVEL, CLIENT)}

    assert list(complaints(f"{LIBRARY}.{module}", source, known=known))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.redeem", "from .records import Grant\nimport hashlib"),
        ("stores.memory", "from mp_oauth_sandbox.support.checked import invalid"),
        ("web.app", "import starlette\nfrom mp_oauth_sandbox import __version__"),
        ("driver.jars", "from mp_oauth_sandbox import Sandbox"),
        ("client.flow", "import httpx\nfrom .errors import Refused"),
        ("cli", "from mp_oauth_sandbox.hosting import live\nfrom .client import flow"),
    ],
)
def test_an_import_that_points_down_is_let_through(module: str, source: str):
    known = {f"{LIBRARY}.{layer}" for layer in (*LEVEL, CLIENT)}

    assert list(complaints(f"{LIBRARY}.{module}", source, known=known)) == []


@pytest.mark.parametrize(
    "source",
    ["import random", "from datetime import datetime\ndatetime.now()", "async def decide(): ..."],
)
def test_an_impure_line_in_the_core_is_found(source: str):
    assert list(impurities(f"{LIBRARY}.core.redeem", source))


def test_importing_the_library_loads_no_other_package(tmp_path: Path):
    assert packages(loaded_by(f"import {LIBRARY}", cwd=tmp_path)) == {LIBRARY}


def test_loading_the_plugin_costs_a_pytest_run_nothing_but_the_plugin(tmp_path: Path):
    loaded = packages(loaded_by(f"import {PLUGIN}.plugin", after="import pytest", cwd=tmp_path))

    assert PLUGIN in loaded
    assert loaded <= {LIBRARY, PLUGIN}


def test_the_client_loads_httpx_and_nothing_of_the_sandbox(tmp_path: Path):
    loaded = loaded_by(f"import {LIBRARY}.{CLIENT}", after="import httpx", cwd=tmp_path)

    beside = {name for name in loaded if not name.startswith(f"{LIBRARY}.{CLIENT}")}
    assert f"{LIBRARY}.{CLIENT}.flows" in loaded
    assert beside == {LIBRARY}


# A seller is linked, renewed and unlinked by a copy, in a world where the library cannot be had.
_ALONE = """
import sys
sys.modules["mp_oauth_sandbox"] = None
import httpx
from datetime import UTC, datetime, timedelta
from selling.linking import Linked, Linking, Settings, SQLitePendingStore, SQLiteTokenStore

now = datetime(2026, 3, 2, tzinfo=UTC)
answers = iter("12")

def granted(request):
    mark = next(answers)
    tokens = {"access_token": f"A{mark}", "refresh_token": f"R{mark}", "user_id": 7}
    return httpx.Response(200, json={**tokens, "expires_in": 15552000})

settings = Settings(client_id="1", client_secret="s", redirect_uri="https://shop.example/cb")
http = httpx.Client(transport=httpx.MockTransport(granted))
stores = SQLiteTokenStore("links.db"), SQLitePendingStore("links.db")
linking = Linking(settings, *stores, http=http, now=lambda: now)
start = linking.start("shop-1")
query = "code=c1&state=" + httpx.URL(start.url).params["state"]
outcome = linking.callback(query, account="shop-1", binding=start.binding)
assert isinstance(outcome, Linked), outcome
now += timedelta(days=170)
assert linking.access("shop-1").access_token == "A2"
assert linking.unlink("shop-1")
assert sys.modules["mp_oauth_sandbox"] is None
"""


def test_the_client_s_folder_works_alone_under_another_name(tmp_path: Path):
    spec = find_spec(f"{LIBRARY}.{CLIENT}")
    assert spec is not None
    assert spec.origin is not None
    (tmp_path / "selling").mkdir()
    (tmp_path / "selling" / "__init__.py").touch()
    shutil.copytree(Path(spec.origin).parent, tmp_path / "selling" / "linking")

    done = subprocess.run(
        [sys.executable, "-c", _ALONE], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_the_client_is_short_enough_to_be_read():
    files = [
        file
        for name, file in modules(LIBRARY).items()
        if f"{name}.".startswith(f"{LIBRARY}.client.")
    ]

    assert len(files) >= 10
    assert sum(lines_of_code(file.read_text(encoding="utf-8")) for file in files) <= 1200


def test_lines_of_code_are_those_that_do_something():
    source = '''"""Prose,
in two lines."""

import os  # a comment beside code

# a comment alone


def function(
    argument: int,
) -> str:
    """Prose."""
    return """
    text

    """
'''

    assert lines_of_code(source) == 8
