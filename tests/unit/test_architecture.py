"""The rules that keep the code one ladder: read from the sources, so that lazy imports count too."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "converter"

# From the top down; a module imports from its own rung and from those below. `converter` itself is the door on top.
LADDER = (
    "converter",
    "__main__",
    "cli",
    "api",
    "analysis",
    "recipes",
    "schedule",
    "syncing",
    "merging",
    "engines",
    "conversion",
    "publishing",
    "write",
    "ion",
    "decode",
    "conditions",
    "kernels",
    "schema",
    "export",
    "storage",
    "aws",
    "object_store",
)
FLOOR = {
    "converter.conditions.numbers",
    "converter.conditions.parse",
    "converter.conditions.syntax",
    "converter.cpus",
    "converter.display",
    "converter.errors",
    "converter.kernels.value_actions",
    "converter.kernels.value_limits",
    "converter.name_policies",
    "converter.option_values",
    "converter.options",
    "converter.presets",
    "converter.schema.column_types",
    "converter.schema.tags",
    "converter.subprocesses",
    "converter.time_options",
    "converter.utc",
    "converter.version",
    "converter.yaml_text",
}
# Made for tests and benchmarks: may use everything, and nothing of the program may use it.
BESIDE = "converter.testing"

# Who alone may import a library; everyone may import what is not named here.
RESERVED = {
    "amazon": ("converter.testing",),
    "boto3": ("converter.aws",),
    "botocore": ("converter.aws",),
    "jinja2": ("converter.yaml_text",),
    "llvmlite": ("converter.kernels",),
    "numba": ("converter.kernels",),
    "pyspark": (),
    "rich": ("converter.cli",),
    "typer": ("converter.cli",),
}
# Imported inside functions only, like the modules that are made of them: time and memory that most runs don't need.
LAZY = {"jinja2", "polars", "rich"}
MADE_OF_LAZY = ("converter.analysis",)

MOST_LINES = 400
MOST_FUNCTION_LINES = 80
MOST_PARAMETERS = 8


@dataclass(frozen=True)
class Import:
    """One imported module; at_start: when the importing module is loaded. typing: only for annotations."""

    name: str
    line: int
    at_start: bool
    typing: bool


@dataclass(frozen=True)
class Module:
    """A source file of the package."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def rung(self) -> str:
        return self.name.split(".")[1] if "." in self.name else self.name


def read_modules() -> dict[str, Module]:
    files = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in files.items()}
    return {name: Module(name, files[name], tree, tuple(_imports(tree, set(files)))) for name, tree in trees.items()}


def _name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.AST, ours: set[str], at_start: bool = True, typing: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_start, typing)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"line {node.lineno}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in ours else node.module, node.lineno, at_start, typing)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from _imports(ast.Module([child], []), ours, at_start, True)
            for child in node.orelse:
                yield from _imports(ast.Module([child], []), ours, at_start, typing)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(node, ours, at_start and not inside, typing)


MODULES = read_modules()


def _is_in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_imports_go_only_downwards() -> None:
    for module in MODULES.values():
        for used in module.imports:
            if not _is_in(used.name, ("converter",)) or _is_in(module.name, (BESIDE,)):
                continue
            place = f"{module.name} line {used.line} imports {used.name}"
            assert not _is_in(used.name, (BESIDE,)), f"{place}, which is for tests"
            if used.name in FLOOR:
                continue
            assert module.name not in FLOOR, f"{place}, which is above it"
            assert used.name in MODULES, f"{place}, which is no module of ours"
            assert LADDER.index(module.rung) <= LADDER.index(MODULES[used.name].rung), f"{place}, which is above it"


def test_every_module_stands_on_the_ladder() -> None:
    for module in MODULES.values():
        assert module.name in FLOOR or _is_in(module.name, (BESIDE,)) or module.rung in LADDER, module.name


def test_no_imports_go_in_a_circle() -> None:
    graph = {
        module.name: {used.name for used in module.imports if used.name in MODULES and not used.typing} - {module.name}
        for module in MODULES.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


def test_a_library_is_imported_only_where_it_belongs() -> None:
    for module in MODULES.values():
        for used in module.imports:
            library = used.name.split(".")[0]
            place = f"{module.name} line {used.line} imports {library}"
            assert _is_in(module.name, RESERVED.get(library, ("converter",))), place
            if not _is_in(module.name, MADE_OF_LAZY):
                lazy = library in LAZY or _is_in(used.name, MADE_OF_LAZY)
                assert not lazy or not used.at_start or used.typing, f"{place} when it is loaded"


def test_a_module_says_in_its_first_line_what_it_is_for() -> None:
    for module in MODULES.values():
        if module.tree.body:
            docstring = ast.get_docstring(module.tree, clean=False)
            assert docstring, f"{module.name} has no docstring"
            assert docstring[0].isalnum() or docstring[0] == "`", f"{module.name}: nothing is said in the first line"


def test_modules_and_functions_stay_small() -> None:
    for module in MODULES.values():
        lines = module.path.read_text("utf-8").count("\n")
        assert lines <= MOST_LINES, f"{module.name} has {lines} lines"
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            place = f"{module.name}.{function.name}"
            arguments = function.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            count = len([name for name in names if name not in ("self", "cls")])
            assert count <= MOST_PARAMETERS, f"{place} has {count} parameters"
            size = _lines(function) - (_lines(function.body[0]) if ast.get_docstring(function) else 0)
            assert size <= MOST_FUNCTION_LINES, f"{place} has {size} lines"


def _lines(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_no_committed_file_names_a_place_of_one_machine_or_a_package_registry() -> None:
    places = "|".join(("work", "farm", "tmp", "root", "home", "Users", "opt"))
    pattern = re.compile(rf"(?<![\w.~/}}-])/({places})/\w|https?://[^\s\"]+/(simple|packages)/|pypi\.org|pythonhosted")
    found = []
    for path in _committed_files():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:100]}")
    assert found == []


def _committed_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listing.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]
