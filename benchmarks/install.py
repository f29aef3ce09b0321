"""Measures an installation: `python -m benchmarks.run install`, or `python -m benchmarks.install`.

It builds a wheel of a checkout, installs it into a new environment, and prints the seconds of both, the number of
packages, and their size. Then fresh copies of the environment convert the small fixture ten times each: with a new
HOME, with one that is read-only, and with none. The first conversion should take no longer than the tenth.

--source and --python may be repeated: another checkout, for example of an earlier commit, and another Python.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contenders import ROOT

HOMES = ("new", "read-only", "none")
RUNS = 10
_COPIED = ("converter", "pyproject.toml", "setup.py", "README.md", "LICENSE", "constraints.txt")


@dataclass(frozen=True, slots=True)
class Installed:
    """Packages of an environment. sizes: bytes of each file or folder beside each other, bytecode included."""

    packages: int
    sizes: Mapping[str, int]


def build_wheel(source: Path, folder: Path) -> Path:
    """Build a wheel of a checkout into the folder, from a copy without anything that was built."""
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        for name in _COPIED:
            if (source / name).is_dir():
                shutil.copytree(source / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "native"))
            elif (source / name).exists():
                shutil.copy(source / name, tree)
        _run_pip("wheel", "--no-deps", "--wheel-dir", folder, tree)
    [wheel] = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, constraints: Path, python: str, environment: Path) -> None:
    """Make a new environment with the wheel and what it needs, and without pip."""
    subprocess.run([python, "-m", "venv", "--without-pip", environment], check=True)
    _run_pip("install", "--constraint", constraints, wheel, python=environment / "bin" / "python")


def measure_size(environment: Path) -> Installed:
    """Count the packages of an environment and their bytes."""
    [packages] = environment.glob("lib/python*/site-packages")
    sizes = {path.name: sum(map(_size, [path, *path.rglob("*")])) for path in packages.iterdir()}
    return Installed(sum(name.endswith(".dist-info") for name in sizes), sizes)


def time_runs(environment: Path, home: str, runs: int = RUNS) -> list[tuple[float, float]]:
    """Return seconds and CPU seconds of conversions of the small fixture, one after another, in a fresh environment."""
    with tempfile.TemporaryDirectory(dir=environment.parent) as temporary:
        folder = Path(temporary)
        # Files that a run adds or replaces are those of the copy alone.
        shutil.copytree(environment, folder / "copy", symlinks=True, copy_function=os.link)
        variables = {"PATH": os.environ["PATH"]}
        if home != "none":
            (folder / "home").mkdir(mode=0o555 if home == "read-only" else 0o755)
            variables["HOME"] = str(folder / "home")
        python, source = folder / "copy" / "bin" / "python", ROOT / "fixtures" / "orders"
        command = [str(python), "-m", "converter", "convert", str(source)]
        times = []
        for run in range(runs):
            began, cpu_began = time.perf_counter(), _children_cpu_seconds()
            subprocess.run([*command, f"out-{run}", "--quiet"], cwd=folder, env=variables, check=True)
            times.append((time.perf_counter() - began, _children_cpu_seconds() - cpu_began))
    return times


def measure_install(source: Path, python: str, rounds: int) -> None:
    """Print all figures of one checkout on one Python."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.perf_counter()
        wheel = build_wheel(source, folder)
        built = time.perf_counter()
        environment = folder / "environment"
        install_wheel(wheel, source / "constraints.txt", python, environment)
        done = time.perf_counter()
        installed = measure_size(environment)
        version = subprocess.run([environment / "bin" / "python", "-V"], stdout=subprocess.PIPE, text=True, check=True)
        total = sum(installed.sizes.values()) / 1e6
        print(f"{version.stdout.strip()}: {wheel.name}, {wheel.stat().st_size / 1e6:.2f} MB")
        print(f"built in {built - began:.1f} s, installed in {done - built:.1f} s")
        print(f"{installed.packages} packages, {total:.0f} MB:")
        for name, size in sorted(installed.sizes.items(), key=lambda item: -item[1])[:12]:
            print(f"  {name:<32} {size / 1e6:>7.1f} MB")
        print(f"{'HOME':<10} {'first':>15} {'second':>15} {'tenth':>15}   medians of {rounds}")
        # In turn, so that other work on the machine slows down all of them.
        timed = [(home, time_runs(environment, home)) for _ in range(rounds) for home in HOMES]
        for home in HOMES:
            first, second, *_, tenth = zip(*(times for name, times in timed if name == home), strict=True)
            print(f"{home:<10} {_describe(first)} {_describe(second)} {_describe(tenth)}", flush=True)


def _describe(times: Sequence[tuple[float, float]]) -> str:
    seconds, cpu_seconds = zip(*times, strict=True)
    return f"{median(seconds):>5.2f} s, CPU {median(cpu_seconds):.2f}"


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run_pip(*arguments: str | Path, python: Path | None = None) -> None:
    command = [sys.executable, "-m", "pip", *(["--python", str(python)] if python else [])]
    # Without bytecode, the first conversion would compile all modules.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *quiet, *arguments], env=variables, check=True)


def _size(path: Path) -> int:
    return path.lstat().st_size if path.is_symlink() or path.is_file() else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the installation of each checkout on each Python."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.install", description=main.__doc__)
    parser.add_argument("--source", type=Path, action="append", help="a checkout; this one by default")
    parser.add_argument("--python", action="append", help="a Python to install for; this one by default")
    parser.add_argument("--rounds", type=int, default=5, help="fresh environments for each HOME (5)")
    options = parser.parse_args(arguments)
    for source in options.source or [ROOT]:
        for python in options.python or [sys.executable]:
            measure_install(source, python, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
