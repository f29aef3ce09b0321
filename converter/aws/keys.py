"""The forms in which a KMS key is named.

https://docs.aws.amazon.com/kms/latest/developerguide/concepts-key-id.html
"""

from __future__ import annotations

import re

from converter.errors import UsageError

# AWS makes key ids itself, as 8-4-4-4-12 or mrk-…; other stores take names such as key-1.
_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"
_ALIAS = r"alias/[A-Za-z0-9/_-]{1,250}"
_ARN = rf"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{{12}}:(?:key/{_ID}|{_ALIAS})"
_OF_AWS = re.compile(f"{_ID}|{_ALIAS}|{_ARN}")
# How MinIO names its keys.
_OF_STORES = re.compile(rf"arn:aws:kms:{_ID}")


def check_kms_key(key: str, option: str, *, any_store: bool = False) -> None:
    """Raises UsageError for text that can't name a KMS key. any_store: take other stores' form, too."""
    if _OF_AWS.fullmatch(key) or (any_store and _OF_STORES.fullmatch(key)):
        return
    raise UsageError(
        f"{key!r} can't be a KMS key",
        option,
        "give its id, its alias as alias/NAME, or the ARN of either: arn:aws:kms:REGION:ACCOUNT:key/ID",
    )
