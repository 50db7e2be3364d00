"""The contract tests prove promises through public names: they read and patch nothing that is private."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CONTRACT = Path(__file__).parents[1] / "contract"
BY_NAME = {"setattr", "getattr", "delattr", "hasattr"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def roots(node: ast.expr) -> str:
    """Return the name that an expression begins with, or an empty text."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the modules of the package that names of a file come from, by name."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mediasync":
            names |= {one.asname or one.name: node.module or "" for one in node.names}
        elif isinstance(node, ast.Import):
            names |= {
                one.asname or "mediasync": one.name
                for one in node.names
                if one.name.split(".")[0] == "mediasync"
            }
    return names


def reaches(source: str) -> Iterator[str]:
    """Yield each place where a file reaches for a private name, or patches a part of the package."""
    tree = ast.parse(source)
    package = imported(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if is_private(name):
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.Assign(targets=[ast.Attribute() as target]) if roots(target) in package:
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "mediasync":
                for one in names:
                    if any(map(is_private, [*module.split("."), one.name])):
                        yield f"line {node.lineno}: {one.name} of {module}"
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[target, *rest]) if (
                name in BY_NAME
            ):
                texts = [one.value for one in (target, *rest) if isinstance(one, ast.Constant)]
                patched = name != "getattr" and name != "hasattr" and roots(target) in package
                by_path = any(str(text).startswith("mediasync.") for text in texts[:1])
                if patched or by_path or any(isinstance(text, str) and is_private(text) for text in texts):
                    yield f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("file", sorted(CONTRACT.glob("*.py")), ids=lambda file: file.stem)
def test_a_contract_test_reaches_for_nothing_private(file: Path) -> None:
    assert list(reaches(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "ms._database.read()",
        "ms.media._writer",
        "from mediasync.library.media import _PAGE",
        "from mediasync.saving import writer\nmonkeypatch.setattr(writer, 'MAX_GROUP_SECONDS', 1)",
        "from mediasync.saving.writer import Writer\nsetattr(Writer, 'save', None)",
        "import mediasync.saving.writer\nmonkeypatch.setattr(mediasync.saving.writer, 'Save', None)",
        "monkeypatch.setattr('mediasync.saving.writer.Save', None)",
        "from mediasync.saving import writer\nwriter.MAX_GROUP_SECONDS = 1",
        "getattr(ms, '_writer')",
        "monkeypatch.setattr(ms, '_writer', None)",
    ],
)
def test_what_is_private_is_found(source: str) -> None:
    assert list(reaches(source))


@pytest.mark.parametrize(
    "source",
    [
        "self._seen()",
        "ms.__class__",
        "_helper(ms)",
        "from mediasync import MediaSync\nMediaSync('sqlite://')",
        "import asyncio\nmonkeypatch.setattr(asyncio, 'sleep', None)",
        "getattr(ms, 'media')",
        "backend.wait_for_scan = 1",
    ],
)
def test_what_is_public_is_not_found(source: str) -> None:
    assert not list(reaches(source))
