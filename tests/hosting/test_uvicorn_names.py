"""What hosting/protocol.py uses of uvicorn's insides is there in the uvicorn that is installed."""

import ast
import inspect
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mp_oauth_sandbox.hosting import protocol

# Whose attributes they are, by the expression before the dot.
OWNERS: dict[str, type] = {
    "self": HttpToolsProtocol,
    "super()": HttpToolsProtocol,
    "connection": HttpToolsProtocol,
    "cycle": RequestResponseCycle,
    "answering": RequestResponseCycle,
    "self.flow": FlowControl,
    "self.server_state": ServerState,
    "self._state": ServerState,
}


def names_used(source: str) -> Iterator[tuple[type, str]]:
    """The attributes of uvicorn's objects that a module uses, but for those it adds itself."""
    tree = ast.parse(source)
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    # What is private and made here is ours; a public name that is set here is uvicorn's knob.
    own = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    own |= {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in attributes:
        before = ast.unparse(node.value)
        ours = before == "self" and node.attr.startswith("_") and node.attr in own
        if before in OWNERS and not ours:
            yield OWNERS[before], node.attr


def names_of(owner: type) -> set[str]:
    """Everything that an object of this class has: its members, and what its methods set."""
    found = set(dir(owner))
    for base in owner.__mro__[:-1]:
        found |= set(inspect.get_annotations(base))
        found |= {
            node.attr
            for node in ast.walk(ast.parse(inspect.getsource(base)))
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) == "self"
        }
    return found


def lacking(source: str) -> list[str]:
    """One line for each name that a module uses and uvicorn has not."""
    return sorted(
        {
            f"uvicorn {version('uvicorn')}: {owner.__name__} has no {name}"
            for owner, name in names_used(source)
            if name not in names_of(owner)
        }
    )


def test_uvicorn_has_every_name_that_is_used_of_it() -> None:
    source = inspect.getsource(protocol)

    assert len(set(names_used(source))) > 20
    assert lacking(source) == [], "hosting/protocol.py must be changed, or pyproject.toml's bound"


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        ("super().on_headers_finished()", "HttpToolsProtocol"),
        ("self._unset_everything()", "HttpToolsProtocol"),
        ("self.access_logger_off = True", "HttpToolsProtocol"),
        ("cycle.hung_up = True", "RequestResponseCycle"),
        ("self.server_state.headers = ()", "ServerState"),
    ],
)
def test_a_name_that_is_gone_is_told_with_its_owner(line: str, owner: str) -> None:
    (told,) = lacking(line)

    assert told.startswith(f"uvicorn {version('uvicorn')}: {owner} has no ")
