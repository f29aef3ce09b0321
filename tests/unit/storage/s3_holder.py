"""A run that holds a destination in S3 and writes a part, until it is killed: `python -m … DEST FOLDER`."""

from __future__ import annotations

import sys
import time

from converter.aws.access import AwsOptions
from converter.storage import open_destination

if __name__ == "__main__":
    _, place, folder = sys.argv
    with open_destination(place, AwsOptions()).lease() as lease:
        sink = lease.begin(folder.rpartition("/")[2], folder).open_part("0.parquet")
        sink.write(bytes(6 << 20))
        sink.finish()
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        time.sleep(600)
