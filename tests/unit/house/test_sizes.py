import ast
from pathlib import Path
from statistics import median, quantiles

import evalkit

MODULES = sorted(Path(evalkit.__file__).parent.rglob("*.py"))


def _functions() -> dict[str, int]:
    """Lines of each function, by module and line."""
    lengths = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                place = f"{path.name}:{node.lineno} {node.name}"
                lengths[place] = node.end_lineno - node.lineno + 1
    return lengths


def _modules() -> dict[str, int]:
    return {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}


def test_no_function_is_over_60_lines() -> None:
    assert {place: lines for place, lines in _functions().items() if lines > 60} == {}


def test_nine_functions_in_ten_have_at_most_30_lines() -> None:
    assert quantiles(_functions().values(), n=10, method="inclusive")[-1] <= 30


def test_no_module_is_over_400_lines() -> None:
    assert {path: lines for path, lines in _modules().items() if lines > 400} == {}


def test_half_of_the_modules_have_at_most_120_lines() -> None:
    assert median(_modules().values()) <= 120


def test_everything_is_synchronous() -> None:
    coloured = [
        f"{path.name}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert coloured == []


def test_no_module_is_a_catch_all() -> None:
    catch_alls = {"utils", "util", "helpers", "helper", "base", "common", "misc"}
    assert [path for path in MODULES if catch_alls & {path.stem, path.parent.name}] == []
