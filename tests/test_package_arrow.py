"""
Dependencies point one way: attendance_site → realtime → attendance, and inside
attendance each part imports only what stands above it.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["attendance", "realtime", "attendance_site"]
# In this order: each imports only what stands before it.
PARTS = """
    addresses converters tracing exceptions metrics append_only rows models rules codes
    links payloads wording sealing channel_layer publisher events selectors verification
    services api pages admin demo management apps migrations
""".split()


def imports_of(file):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the arrow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages(package):
    forbidden = PACKAGES[PACKAGES.index(package) + 1 :] + ["tests"]
    files = list((ROOT / package).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imports_of(file)
        if name.split(".")[0] in forbidden
    ]
    assert not wrong


def test_parts_of_attendance():
    wrong = []
    for file in (ROOT / "attendance").rglob("*.py"):
        part = file.relative_to(ROOT / "attendance").parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        assert part in PARTS, f"attendance/{part} has no place in the order yet"
        for name in imports_of(file):
            package, _, rest = name.partition(".")
            other = rest.split(".")[0]
            if package == "attendance" and other not in PARTS[: PARTS.index(part) + 1]:
                wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not wrong
