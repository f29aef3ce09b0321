"""Builds the library of the kernels with the package: compiled code that needs no Python, for one kind of machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

NATIVE = Path("converter", "kernels", "native")
LINKERS = ("cc", "gcc", "clang", "ld", "ld.lld")


class BuildWithKernels(build_py):
    """Copies the modules, and builds the library beside them: in the checkout for an editable installation."""

    def run(self) -> None:
        super().run()
        folder = NATIVE if self.editable_mode else Path(self.build_lib) / NATIVE
        subprocess.run([sys.executable, "-m", "converter.kernels.toolchain.build", str(folder)], check=True)


class PlatformWheel(bdist_wheel):
    """A wheel for every Python on this platform."""

    def get_tag(self) -> tuple[str, str, str]:
        _, _, platform = super().get_tag()
        return "py3", "none", platform


class PlatformDistribution(Distribution):
    """A package that is not the same on every platform."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithKernels, "bdist_wheel": PlatformWheel},
    # Without a linker on the machine, a package brings one.
    setup_requires=[] if any(map(shutil.which, LINKERS)) else ["ziglang>=0.15"],
)
