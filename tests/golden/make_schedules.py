"""Writes what `schedule render` makes, for the golden test: `python -m tests.golden.make_schedules`."""

from __future__ import annotations

from pathlib import Path

from converter.cli.commands import read_command

HERE = Path(__file__).parent / "schedules"

ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
KEY = "arn:aws:kms:eu-central-1:444455556666:key/11111111-2222-3333-4444-555555555555"
PLACE = ("s3://lake/orders/", "--bucket", "exports", "--export-prefix", "dynamodb/orders")

# By the name of the file, whose ending says what it is.
CASES: dict[str, tuple[str, ...]] = {
    "nightly.yaml": ("Orders", *PLACE, "--cron", "0 2 * * ? *", "--", "--for", "athena", "--key", "order_id"),
    "by-rate.yaml": (
        *("Orders", *PLACE, "--rate", "12 hours", "--window", "30", "--export-format", "ION"),
        *("--", "--replace"),
    ),
    "own-buckets.yaml": (
        ARN,
        *PLACE,
        "--cron",
        "30 2 * * ? *",
        "--timezone",
        "Europe/Berlin",
        "--create-buckets",
        "both",
    ),
    "kms.yaml": (
        *(ARN, *PLACE, "--rate", "1 day", "--create-buckets", "both", "--export-sse", "KMS"),
        *("--export-kms-key-id", "alias/exports", "--", "--dest-sse", "aws:kms"),
        *("--dest-kms-key-id", "11111111-2222-3333-4444-555555555555", "--acl", "bucket-owner-full-control"),
    ),
    "two-accounts.yaml": (
        *(ARN, *PLACE, "--rate", "1 day", "--bucket-owner", "444455556666", "--export-sse", "KMS"),
        *("--export-kms-key-id", KEY, "--", "--dest-bucket-owner", "444455556666"),
    ),
    "two-accounts.json": (
        *(ARN, *PLACE, "--policies", "--bucket-owner", "444455556666", "--export-sse", "KMS"),
        *("--export-kms-key-id", KEY, "--", "--dest-bucket-owner", "444455556666"),
    ),
    "other-roles.yaml": (
        *(ARN, *PLACE, "--rate", "1 day", "--", "--source-role-arn", "arn:aws:iam::444455556666:role/read"),
        *("--dest-role-arn", "arn:aws:iam::444455556666:role/publish"),
    ),
    "changes.yaml": (
        *("Orders", *PLACE, "--rate", "1 hour", "--incremental", "--merge", "--create-buckets", "export"),
        *("--", "--key", "order_id"),
    ),
    "changes-alone.yaml": (
        *(ARN, *PLACE, "--cron", "0/15 6-20 ? * MON-FRI *", "--window", "5", "--incremental", "--view", "new"),
        *("--on-gap", "full", "--export-format", "ION", "--create-buckets", "both"),
    ),
    "changes-two-accounts.yaml": (
        *(ARN, *PLACE, "--rate", "1 day", "--incremental", "--bucket-owner", "444455556666", "--export-sse", "KMS"),
        *("--export-kms-key-id", KEY, "--", "--dest-bucket-owner", "444455556666", "--timeout", "2h"),
    ),
    "changes-two-accounts.json": (
        *(ARN, *PLACE, "--policies", "--incremental", "--bucket-owner", "444455556666", "--export-sse", "KMS"),
        *("--export-kms-key-id", KEY, "--", "--dest-bucket-owner", "444455556666"),
    ),
    "changes-of-another-account.yaml": (
        *(ARN, *PLACE, "--rate", "1 day", "--incremental", "--merge"),
        *("--", "--source-role-arn", "arn:aws:iam::111122223333:role/export"),
    ),
    "changes.asl.json": (ARN, *PLACE, "--asl", "--incremental", "--merge"),
    "by-manifest.yaml": ("Orders", *PLACE, "--trigger", "manifest"),
    "by-manifest-own-buckets.yaml": (
        *("Orders", "s3://lake", "--bucket", "exports", "--trigger", "manifest", "--create-buckets", "both"),
    ),
    "nightly.asl.json": (ARN, *PLACE, "--asl", "--", "--for", "athena"),
    "by-manifest.asl.json": (ARN, *PLACE, "--asl", "--trigger", "manifest"),
}
# The others differ from these in what the tests look at one by one.
KEPT = ("nightly.yaml", "changes.yaml", "by-manifest-own-buckets.yaml", "two-accounts.json")


def make_case(name: str, folder: Path) -> str:
    """What the command writes, to a file in the folder."""
    path = folder / name
    words = list(CASES[name])
    at = words.index("--") if "--" in words else len(words)
    job = read_command(["schedule", "render", *words[:at], "--out", str(path), "--quiet", *words[at:]])
    assert job is not None
    job()
    return path.read_text("utf-8")


def main() -> None:
    """Write the cases that are kept, anew."""
    for name in KEPT:
        (HERE / name).unlink(missing_ok=True)
        make_case(name, HERE)


if __name__ == "__main__":
    main()
