"""Checks of the names of KMS keys and accounts."""

from __future__ import annotations

import re

from converter.errors import UsageError

# https://docs.aws.amazon.com/kms/latest/developerguide/concepts-key-id.html
# Key ids of AWS have the form 8-4-4-4-12 or mrk-…; other stores allow names such as key-1.
_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"
_ALIAS = r"alias/[A-Za-z0-9/_-]{1,250}"
_ARN = rf"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{{12}}:(?:key/{_ID}|{_ALIAS})"
_OF_AWS = re.compile(f"{_ID}|{_ALIAS}|{_ARN}")
# The form of keys in MinIO.
_OF_STORES = re.compile(rf"arn:aws:kms:{_ID}")
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


def check_kms_key(key: str, option: str, *, any_store: bool = False) -> None:
    """Raise UsageError for text that is not the name of a KMS key. any_store: also accept the form of other stores."""
    if _OF_AWS.fullmatch(key) or (any_store and _OF_STORES.fullmatch(key)):
        return
    raise UsageError(
        f"{key!r} is not a KMS key",
        option,
        "use its id, its alias as alias/NAME, or the ARN of either: arn:aws:kms:REGION:ACCOUNT:key/ID",
    )


def check_account(owner: str, option: str) -> None:
    """Raise UsageError for text that is not the number of an account."""
    if _ACCOUNT.fullmatch(owner) is None:
        raise UsageError(f"{owner!r} is not an account number", option, "use the 12 digits of the account")
