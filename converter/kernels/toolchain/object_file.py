"""Whether bytes can be an object file of this machine, looked at before LLVM loads them: it ends the process if not.

ELF     https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
Mach-O  https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
"""

from __future__ import annotations

import platform
import struct
from typing import Final

# Class, byte order, kind of file, machine, offset of the section headers; then size and number of those.
_ELF: Final = struct.Struct("<4sBB10xHH20xQ10xHH2x")
_SECTION: Final = struct.Struct("<4xI16xQQ")
_SECTION_SIZE: Final = 64
_NO_CONTENT: Final = 8
_ELF_MACHINES: Final = {"x86_64": 62, "AMD64": 62, "aarch64": 183, "arm64": 183}

# Kind of CPU, kind of file, number and size of the commands.
_MACH_O: Final = struct.Struct("<4sI4xIII")
_MACH_O_SIZE: Final = 32
_MACH_O_CPUS: Final = {"x86_64": 0x01000007, "arm64": 0x0100000C}


def is_object_file(code: bytes) -> bool:
    """Whether this is a relocatable object file for this kind of machine whose parts are all inside it."""
    return _is_elf(code) or _is_mach_o(code)


def _is_elf(code: bytes) -> bool:
    if len(code) < _ELF.size:
        return False
    magic, bits, order, kind, machine, at, size, count = _ELF.unpack_from(code)
    if (magic, bits, order, kind) != (b"\x7fELF", 2, 1, 1) or machine != _ELF_MACHINES.get(platform.machine()):
        return False
    if size != _SECTION_SIZE or not count or at + count * size > len(code):
        return False
    sections = (_SECTION.unpack_from(code, at + number * size) for number in range(count))
    return all(kind == _NO_CONTENT or begin + length <= len(code) for kind, begin, length in sections)


def _is_mach_o(code: bytes) -> bool:
    if len(code) < _MACH_O_SIZE:
        return False
    magic, cpu, kind, _, size = _MACH_O.unpack_from(code)
    known = (magic, cpu, kind) == (b"\xcf\xfa\xed\xfe", _MACH_O_CPUS.get(platform.machine()), 1)
    return known and _MACH_O_SIZE + size <= len(code)
