"""Rules taken out of the code: one expression of its syntax tree gives way to another.

Nodes are compared and replaced, not text: formatting, comments and neighbours make no difference,
nor does the file, as long as a name leads there.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from .behaviours import Behaviour


class MutationError(LookupError):
    """A row does not name exactly one place in the code; the text says what it names."""


class Library:
    """The source of a package as it was when this was made."""

    def __init__(self, folder: Path) -> None:
        """Read every module below `folder`, the package's own."""
        self._sources = {
            file.relative_to(folder.parent): file.read_text(encoding="utf-8")
            for file in sorted(folder.rglob("*.py"))
        }
        self._places = [
            (name, file)
            for file, source in self._sources.items()
            for name, _ in _definitions(ast.parse(source), _module_name(file))
        ]

    def without(self, rule: Behaviour) -> tuple[Path, str]:
        """The file that holds a rule, from the package's folder on, and its source without it.

        Raises MutationError when the row names no place, or several.
        """
        places = [(name, file) for name, file in self._places if f".{name}".endswith(f".{rule.at}")]
        if len(places) != 1:
            named = ", ".join(name for name, _ in places) or "nothing"
            raise MutationError(f"{rule.id}: `at`, {rule.at}, must name one place, not {named}")
        ((name, file),) = places
        module = ast.parse(self._sources[file])
        definition = dict(_definitions(module, _module_name(file)))[name]
        by = _argument(rule.by)
        if rule.replace is not None:
            swap = _Swap(_argument(rule.replace), by)
            swap.visit(definition)
            if swap.count != 1:
                times = f"is {swap.count} times in {name}, not once"
                raise MutationError(f"{rule.id}: `replace`, {rule.replace}, {times}")
        elif isinstance(definition, ast.Assign | ast.AnnAssign) and isinstance(by, ast.expr):
            definition.value = by
        else:
            raise MutationError(f"{rule.id}: {name} is no constant; `replace` says what of it")
        return file, ast.unparse(module)


class _Swap(ast.NodeTransformer):
    """Puts one node in the place of all that equal another, and counts them."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.count = 0
        self._type = type(old)
        self._old = ast.dump(old)
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, self._type) and ast.dump(node) == self._old:
            self.count += 1
            return self._new
        return self.generic_visit(node)


def _argument(text: str) -> ast.expr | ast.keyword:
    """What `text` is as the one argument of a call: an expression, or `name=expression`."""
    call = ast.parse(f"_({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    (argument,) = [*call.args, *call.keywords]
    return argument


def _module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _definitions(scope: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    """What a module or class defines, by dotted name; not what is inside functions."""
    for node in scope.body:
        match node:
            case ast.ClassDef(name=name):
                yield f"{prefix}.{name}", node
                yield from _definitions(node, f"{prefix}.{name}")
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                yield f"{prefix}.{name}", node
            case _:
                pass
