"""Compiled loops that parse lines, merge changes, and encode CSV and Parquet; `bindings.py` lets Python call them.

    parse       lines of JSON to values in column buffers
    merge       the lines that later changes supersede
    encode      column buffers to CSV text and Parquet pages
    simd        64 bytes at a time
    toolchain   sources to a library of machine code, when the package is built

Calls. A kernel gets arrays and allocates nothing. Its `state` keeps what it needs at the next call: an array with
named members (layout.py, line_patterns.py, merge/key_table.py, encode/states.py). It returns a status. At DONE it has
read the whole block. At any other status the caller does what the status asks for, and calls the kernel again:

    FULL               write the batch and empty the buffers, or give the columns room for more rows
    GROW               replace a buffer with a larger one, and copy its content
    NEW_FIELD          add the field to the tables, with the action and the column for its values
    IRREGULAR          take the slow path
    MISMATCH           give up the schema: drop the rows, and only observe from then on
    HAS_NUL            raise the error: the value is correct, and the options refuse it
    NOT_A_TIME         the same
    ODD_TIME           report the place of the value
    DUPLICATE_CHANGE   raise the error
    SUPERSEDED         compare the item with its old image, and blank its line

Inside of the kernels, functions give positions, and a status that is negative takes the place of a position.

The slow path. Kernels read the compact lines that the service writes, and leave every other line to Python, correct or
not: decode/strict_lines.py refuses it, or spells the same item as kernels read it. A kernel may refuse a line that is
correct. It must never accept a line that the slow path refuses.

Growth and rollback. A value counts once it is complete: the kernel first writes its bytes, and then adds it to
COLUMN_PRESENT and COLUMN_USED. So at GROW, NEW_FIELD and ODD_TIME nothing is undone: IN_ITEM is 1, and the next call
continues with the same value. At IRREGULAR, MISMATCH, HAS_NUL and NOT_A_TIME, `rollback_item` removes the values that
the item at hand has written, and POSITION is where its line begins.

Padding. Loads and stores move 64 bytes, whatever the size of a value is: 64 bytes after those in use must be readable,
and writable in a target. After a block they are zeros, which end every token.
"""
