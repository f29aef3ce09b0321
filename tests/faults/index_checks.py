"""The index of a destination after a fault: whatever there is of it agrees with the records."""

from __future__ import annotations

from converter.publishing.destination_records import read_records
from converter.storage import open_destination


def check_index(dest: str) -> None:
    """Each entry that a reader takes from the index is what the record says."""
    records = read_records(open_destination(dest))
    for entry in records.entries:
        # Raises for an entry that differs.
        records.load(entry)
