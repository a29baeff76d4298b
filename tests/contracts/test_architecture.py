"""The tables of docs/architecture.md say what is there and what imports what."""

import ast
import re
import statistics
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "ruleforge"
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
LONGEST = 600


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that has this heading, without it."""
    lines = PAGE.splitlines()
    start = lines.index(heading) + 2
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def named(cell: str) -> list[str]:
    """The words in backticks of a cell."""
    return [word for quoted in re.findall(r"`([^`]*)`", cell) for word in quoted.split()]


def within(module: str, allowed: list[str]) -> bool:
    """Whether a module is one of those, or in one of those rooms."""
    return any(module == each or module.startswith(f"{each}.") for each in allowed)


ROOMS = rows("| floor | room | what for | modules | may import |")
LIBRARIES = {
    library.strip("`"): named(users) for library, users in rows("| library | imported by |")
}
LONG = {module.strip("`"): why for module, why in rows("| module | why |")}
ALLOWED = {room.strip("`"): named(allowed) for _, room, _, _, allowed in ROOMS}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("ruleforge", include_external_packages=True, cache_dir=None)


def modules() -> dict[str, Path]:
    """Every module by its name without `ruleforge`, the packages' own left out."""
    files = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in PACKAGE.rglob("*.py")
    }
    return {name: path for name, path in files.items() if not name.endswith(".__init__")}


def imports() -> list[tuple[str, str]]:
    """(importer, imported) of all modules, ours without `ruleforge`; its `__init__` by that name."""

    def ours(module: str) -> str:
        return "__init__" if module == "ruleforge" else module.removeprefix("ruleforge.")

    return [
        (ours(module), ours(imported) if imported.startswith("ruleforge") else f"from {imported}")
        for module in graph().modules
        if module == "ruleforge" or module.startswith("ruleforge.")
        for imported in graph().find_modules_directly_imported_by(module)
    ]


def room_of(module: str) -> str:
    return module.partition(".")[0] if "." in module or (PACKAGE / module).is_dir() else ""


def test_the_table_lists_exactly_the_modules_that_exist() -> None:
    listed = [
        f"{room.strip('`')}.{module}" if room else module
        for _, room, _, cell, _ in ROOMS
        for module in named(cell)
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(modules())


def test_a_room_imports_only_what_the_table_allows() -> None:
    forbidden = [
        f"{importer} imports {imported}"
        for importer, imported in imports()
        if not imported.startswith("from ")
        if room_of(importer) != room_of(imported) or not room_of(importer)
        if not within(imported, ALLOWED[room_of(importer)])
    ]
    assert forbidden == []


def test_a_floor_imports_only_from_below() -> None:
    floors = {room.strip("`"): int(floor) for floor, room, _, _, _ in ROOMS}
    for room, allowed in ALLOWED.items():
        for each in allowed:
            other = room_of(each) if "." in each else each
            assert floors.get(other, 5) < floors[room] or (not room and each == "cli")


def test_what_comes_from_outside_comes_through_its_doors() -> None:
    outside = [
        (importer, imported.removeprefix("from "))
        for importer, imported in imports()
        if imported.startswith("from ")
        if imported.removeprefix("from ") not in sys.stdlib_module_names
    ]
    forbidden = [
        f"{importer} imports {library}"
        for importer, library in outside
        if not within(importer, LIBRARIES.get(library, []))
    ]
    assert forbidden == []
    assert {library for _, library in outside} == set(LIBRARIES)


def test_the_language_knows_no_engine() -> None:
    chain = graph().find_shortest_chains("ruleforge.language", "polars", as_packages=True)
    assert chain == set()


def test_only_what_the_page_names_sees_the_parser() -> None:
    seen_by = graph().find_modules_that_directly_import("lark")
    assert {name.removeprefix("ruleforge.") for name in seen_by} == set(LIBRARIES["lark"])


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_module_is_long_without_a_reason() -> None:
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()
    }
    assert {name for name, length in lengths.items() if length > LONGEST} == set(LONG)
    assert all(LONG.values())
    assert statistics.median(lengths.values()) < 200


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = {name.rpartition(".")[2] for name in modules()}
    assert names.isdisjoint({"utils", "util", "common", "base", "helpers", "manager", "misc"})
