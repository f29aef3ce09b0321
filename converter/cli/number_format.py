"""Text forms of counts, sizes and durations."""

from __future__ import annotations


def format_count(number: int, noun: str = "") -> str:
    """Format a count as `1,234`, or `1 part` and `1,234 parts` with a noun."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_size(number: int) -> str:
    """Format bytes in decimal units with three digits: `987 B`, `12.3 MB`."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    units = iter(("kB", "MB", "GB", "TB"))
    unit = "B"
    while value >= 999.5 and unit != "TB":
        value /= 1000
        unit = next(units)
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def format_duration(seconds: float) -> str:
    """Format seconds as `0.42 s`, `12.3 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
