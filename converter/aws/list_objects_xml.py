"""Answers to ListObjectsV2, read directly, because botocore takes most of the CPU time of a long listing.

botocore parses a page twice, and makes a value of each member. Here the page is parsed once, and only the members that
the program uses are kept. All other answers, such as errors and pages that are cut off, are left to botocore.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

from botocore.parsers import ResponseParserError

EVENT = "before-parse.*.ListObjectsV2"
"""The event of botocore that `read_page` handles. With this wildcard, it comes before botocore's handlers of S3."""

_MEMBERS = ("EncodingType", "NextContinuationToken")
_OF_ENTRIES = {"Contents": ("Key", "Size", "ETag"), "CommonPrefixes": ("Prefix",)}


def read_page(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Parse the body of a response, and leave botocore nothing to parse. Raises ResponseParserError."""
    if response_dict["status_code"] >= 300:
        return
    body = response_dict["body"]
    # botocore takes an empty body for an empty listing, and expands entities of a DTD. S3 sends neither.
    if not body.strip() or b"<!DOCTYPE" in body:
        response_dict.update(status_code=500, body=b"")
        return
    page = parse_page(body)
    if page is not None:
        customized_response_dict.update(page)
        response_dict["body"] = b""


def parse_page(body: bytes) -> dict[str, Any] | None:
    """Return a page in the form of botocore, but with sizes as text. Keys are still URL-encoded; botocore decodes them.

    Return None for a body that botocore retries: an error, or one that is not well-formed. Raises ResponseParserError
    for one that is not a page.
    """
    # The encoding that botocore uses, whatever the body declares.
    parser = XMLParser(encoding="utf-8")
    try:
        parser.feed(body)
        root: Element = parser.close()
    except ParseError:
        return None
    if root.tag == "Error":
        return None
    name = root.tag.rpartition("}")[2]
    if name != "ListBucketResult":
        raise ResponseParserError(f"the response to ListObjectsV2 is {name}, not ListBucketResult")
    namespace = root.tag.removesuffix(name)
    page: dict[str, Any] = _texts(root, {namespace + member: member for member in _MEMBERS})
    truncated = root.find(f"{namespace}IsTruncated")
    if truncated is not None:
        page["IsTruncated"] = truncated.text == "true"
    for kind, members in _OF_ENTRIES.items():
        names = {namespace + member: member for member in members}
        entries = [_texts(node, names) for node in root.iterfind(namespace + kind)]
        if entries:
            page[kind] = entries
    return page


def _texts(node: Element, names: Mapping[str, str]) -> dict[str, str]:
    return {names[child.tag]: child.text or "" for child in node if child.tag in names}
