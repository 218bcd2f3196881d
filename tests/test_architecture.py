"""The shape of the house, as far as a machine can hold it."""

import ast
import graphlib
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import grimp
import pytest
from hatchling.builders.wheel import WheelBuilder
from importlinter import cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
OTHER_SYSTEMS = {"darwin", "linux", "win32"} - {sys.platform}

IMPORT_ALL = """
import importlib, sys
blocked, *modules = sys.argv[1:]
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked.split(","):
            raise ModuleNotFoundError(f"{name} is of another extra", name=name)
sys.meta_path.insert(0, Blocked())
for module in modules:
    importlib.import_module(module)
"""


def modules_of(package: str) -> list[str]:
    """Every module of a package that this system can import by itself."""
    files = sorted((ROOT / package).rglob("*.py"))
    parts = (file.relative_to(ROOT).with_suffix("").parts for file in files)
    return [
        ".".join(each).removesuffix(".__init__")
        for each in parts
        # Alembic alone can import its folder; `__main__` is a command.
        if "migrations" not in each and "__main__" not in each and not OTHER_SYSTEMS & set(each)
    ]


def distributions_of(extra: str) -> set[str]:
    """Everything that installing one extra brings along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    waiting = [(each, "") for each in project["optional-dependencies"][extra]]
    while waiting:
        text, wanted = waiting.pop()
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name in found or (marker and not marker.evaluate({"extra": wanted})):
            continue
        found.add(name)
        needs = requires(name) or ()
        waiting.extend((need, each) for need in needs for each in requirement.extras or {""})
    return found


def import_names_beyond(extra: str) -> list[str]:
    """Top-level modules on this machine that installing one extra does not bring."""
    allowed = distributions_of(extra) | {"build-parity"}
    return sorted(
        name
        for name, owners in packages_distributions().items()
        if not allowed & {canonicalize_name(owner) for owner in owners}
    )


def test_every_import_follows_the_arrows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contracts of pyproject.toml hold."""
    monkeypatch.chdir(ROOT)
    code = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_no_module_imports_itself_by_a_detour() -> None:
    """There are no import cycles, type-only imports included."""
    graph = grimp.build_graph("agent", "server", cache_dir=None)
    arrows = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    graphlib.TopologicalSorter(arrows).prepare()  # raises CycleError, naming the cycle


@pytest.mark.parametrize("package", ["agent", "server"])
def test_one_half_runs_without_the_other_halfs_dependencies(package: str) -> None:
    """Every module imports with nothing installed but its own extra."""
    beyond = import_names_beyond(package)
    assert {"agent": "litestar", "server": "psutil"}[package] in beyond
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(beyond), *modules_of(package)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_the_two_packages_and_nothing_else(tmp_path: Path) -> None:
    """Tests and install scripts are never installed; data files are."""
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"agent", "server"}
    assert "agent/claude_config/keys.toml" in names


def test_the_agents_version_costs_no_import() -> None:
    """`agent/__init__.py` imports nothing, so that reading the version runs nothing."""
    tree = ast.parse((ROOT / "agent" / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
