"""An object of S3 while it is read: a connection that breaks is resumed at the byte where it broke."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, IncompleteReadError
from urllib3.exceptions import HTTPError

from converter.aws.client_errors import client_error
from converter.aws.s3_requests import S3Requests
from converter.object_store import ConditionFailedError, ObjectInfo, ObjectReader, object_changed_error

_BROKEN = (BotoCoreError, HTTPError, OSError)
_READ_ATTEMPTS = 8
_LONGEST_PAUSE = 20.0


class S3Reader(ObjectReader):
    """An object's bytes as they arrive.

    Raises StorageError if the connection breaks 8 times in a row, ExportError if the object was replaced meanwhile.
    """

    def __init__(self, requests: S3Requests, path: str, answer: Any) -> None:
        self.info = object_info(answer)
        self._requests = requests
        self._path = path
        self._body = answer["Body"]
        self._position = 0
        self._failures = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes, as many as are there and fit; return 0 at the end."""
        while True:
            try:
                count: int = self._body.readinto(buffer)
                if count == 0 and len(buffer) > 0 and self._position < self.info.size:
                    raise IncompleteReadError(actual_bytes=self._position, expected_bytes=self.info.size)
            except _BROKEN as error:
                self._resume(error)
            else:
                self._position += count
                self._failures = self._failures if count == 0 else 0
                return count

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._body.close()
        super().close()

    def _resume(self, broken: Exception) -> None:
        self._body.close()
        self._failures += 1
        place = self._requests.uri(self._path)
        if self._failures == _READ_ATTEMPTS:
            raise client_error(broken, f"{place} byte {self._position}") from broken
        if self._failures > 1:
            time.sleep(min(random.random() * 2 ** (self._failures - 2), _LONGEST_PAUSE))
        try:
            answer = self._requests.get(self._path, self._position, self.info.etag)
        except (ConditionFailedError, FileNotFoundError):
            raise object_changed_error(place) from None
        # A store may ignore If-Match.
        if answer["ETag"] != self.info.etag:
            raise object_changed_error(place)
        self._body = answer["Body"]


def object_info(answer: Any) -> ObjectInfo:
    """Return the facts in the answer to a GET or HEAD."""
    # Without a Date, the object counts as just written: then nothing becomes stale.
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    written = answer["LastModified"]
    age = (parsedate_to_datetime(date) - written).total_seconds() if date else 0.0
    return ObjectInfo(answer["ContentLength"], answer["ETag"], answer.get("Metadata", {}), written, age)
