"""64 bytes at a time with the CPU's vector registers: the functions of `scalar_words.py`, with the same results.

Each function emits LLVM code for a vector of 64 bytes. LLVM divides it into the registers that the CPU has: one of
AVX-512, two of AVX2, four of SSE or NEON. A comparison gives a vector of 64 bits, which a bitcast makes a word.

Loads and stores use addresses and are not bounds-checked. Callers must keep two rules: every buffer has 64 bytes more
than those in use, and a position never passes the zeros after a block.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_BYTE = ir.IntType(8)
_WORD = ir.IntType(64)
_LONG = ir.IntType(128)
_VECTOR = ir.VectorType(_BYTE, 64)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, target: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    pointer = builder.gep(builder.bitcast(data, _BYTE.as_pointer()), [index])
    return builder.bitcast(pointer, target.as_pointer())


def _load(context: Any, builder: Any, array_type: Any, array: Any, index: Any, target: Any) -> Any:
    value = builder.load(_address(context, builder, array_type, array, index, target))
    value.align = 1
    return value


def _store(context: Any, builder: Any, array_type: Any, array: Any, index: Any, value: Any) -> None:
    builder.store(value, _address(context, builder, array_type, array, index, value.type)).align = 1


def _splat(byte: int) -> Any:
    return ir.Constant(_VECTOR, [byte] * 64)


def _repeat(builder: Any, value: Any) -> Any:
    """A vector of the low byte of an int64."""
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, builder.trunc(value, _BYTE), ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))


@intrinsic
def special_mask(typing_context: Any, data: Any, at: Any) -> Any:
    """Bit k is set where data[at + k] ends plain text: a quote, a backslash or a control character (< 0x20)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        quote = builder.icmp_unsigned("==", loaded, _splat(0x22))
        backslash = builder.icmp_unsigned("==", loaded, _splat(0x5C))
        control = builder.icmp_unsigned("<", loaded, _splat(0x20))
        return builder.bitcast(builder.or_(builder.or_(quote, backslash), control), _WORD)

    return types.uint64(data, types.int64), generate


@intrinsic
def high_mask(typing_context: Any, data: Any, at: Any) -> Any:
    """Bit k is set where data[at + k] is not ASCII (>= 0x80)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        return builder.bitcast(builder.icmp_signed("<", loaded, _splat(0)), _WORD)

    return types.uint64(data, types.int64), generate


@intrinsic
def csv_mask(typing_context: Any, data: Any, at: Any) -> Any:
    """Bit k is set where data[at + k] makes CSV quote its field: a quote, a comma, CR, LF or NUL."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        found = builder.icmp_unsigned("==", loaded, _splat(0x22))
        for byte in (0x2C, 0x0A, 0x0D, 0x00):
            found = builder.or_(found, builder.icmp_unsigned("==", loaded, _splat(byte)))
        return builder.bitcast(found, _WORD)

    return types.uint64(data, types.int64), generate


@intrinsic
def equal_mask(typing_context: Any, left: Any, i: Any, right: Any, j: Any) -> Any:
    """Bit k is set where left[i + k] == right[j + k]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        b = _load(context, builder, signature.args[2], arguments[2], arguments[3], _VECTOR)
        return builder.bitcast(builder.icmp_unsigned("==", a, b), _WORD)

    return types.uint64(left, types.int64, right, types.int64), generate


@intrinsic
def above_mask(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
    """Bit k is set where data[at + k], as a signed number, is greater than `value`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        return builder.bitcast(builder.icmp_signed(">", loaded, _repeat(builder, arguments[2])), _WORD)

    return types.uint64(data, types.int64, types.int64), generate


@intrinsic
def byte_mask(typing_context: Any, data: Any, at: Any, value: Any) -> Any:
    """Bit k is set where data[at + k] == value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR)
        return builder.bitcast(builder.icmp_unsigned("==", loaded, _repeat(builder, arguments[2])), _WORD)

    return types.uint64(data, types.int64, types.int64), generate


@intrinsic
def copy64(typing_context: Any, target: Any, i: Any, source: Any, j: Any) -> Any:
    """target[i : i + 64] = source[j : j + 64]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = _load(context, builder, signature.args[2], arguments[2], arguments[3], _VECTOR)
        _store(context, builder, signature.args[0], arguments[0], arguments[1], loaded)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64), generate


@intrinsic
def word(typing_context: Any, data: Any, at: Any) -> Any:
    """data[at : at + 8] as a little-endian uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, signature.args[0], arguments[0], arguments[1], _WORD)

    return types.uint64(data, types.int64), generate


@intrinsic
def put_int64(typing_context: Any, target: Any, at: Any, value: Any) -> Any:
    """target[at : at + 8] = value, little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _store(context, builder, signature.args[0], arguments[0], arguments[1], arguments[2])
        return context.get_dummy_value()

    return types.void(target, types.int64, types.int64), generate


@intrinsic
def put_int128(typing_context: Any, target: Any, at: Any, high: Any, unit: Any, low: Any, negative: Any) -> Any:
    """target[at : at + 16] = ±(high * unit + low), little-endian; the unsigned sum must be below 2**127."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, at, high, unit, low, negative = arguments
        value = builder.mul(builder.zext(high, _LONG), builder.zext(unit, _LONG))
        value = builder.add(value, builder.zext(low, _LONG))
        flip = builder.icmp_signed("!=", negative, ir.Constant(_WORD, 0))
        _store(context, builder, signature.args[0], target, at, builder.select(flip, builder.neg(value), value))
        return context.get_dummy_value()

    arguments = (target, types.int64, types.uint64, types.uint64, types.uint64, types.int64)
    return types.void(*arguments), generate


@intrinsic
def lowest_bit(typing_context: Any, mask: Any) -> Any:
    """Position of the lowest set bit; 64 if no bit is set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typing_context: Any, mask: Any) -> Any:
    """Number of bits that are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate
