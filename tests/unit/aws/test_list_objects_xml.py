"""Pages of listings are read as botocore reads them, and a body that is not a page is never taken for an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import botocore.session
import pytest
from botocore.parsers import ResponseParserError, create_parser

from converter.aws.access import AwsOptions
from converter.aws.list_objects_xml import parse_page, read_page
from converter.aws.s3_store import S3ObjectStore, open_destination_store
from converter.errors import StorageError
from converter.object_store import ListedObject
from tests.unit.aws.stub import Stub, error, start_stub

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ODD_KEYS = [
    "a b",
    "a+b",
    "100%",
    "%41",
    "a&b<c>\"d'",
    "é/\U00010000",
    "line\nfeed\ttab\r",
    "\x01\x7f",
    "]]>",
    " x ",
    ".",
]
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2024-03-01T12:00:00.000Z</LastModified>"
    "<ETag>&quot;{etag}&quot;</ETag><Owner><ID>1</ID><Key>not this</Key></Owner><Size>{size}</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


def page(*content: str, namespace: str = NAMESPACE) -> bytes:
    text = "".join(content)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult{namespace}>{text}</ListBucketResult>'.encode()


def entry(key: str, size: int = 1, etag: str = "e") -> str:
    return ENTRY.format(key=escape(quote(key)), size=size, etag=etag)


URL = "<EncodingType>url</EncodingType>"
LAST = "<IsTruncated>false</IsTruncated>"
PAGES = {
    "empty": page("<Name>b</Name><Prefix/><KeyCount>0</KeyCount>", LAST),
    "nothing at all": page(),
    "closed at once": b"<ListBucketResult/>",
    "one entry": page(LAST, entry("x")),
    "entries": page(URL, LAST, *(entry(key, n, f"e{n}") for n, key in enumerate(ODD_KEYS))),
    "without a namespace": page(LAST, entry("x"), "<CommonPrefixes><Prefix>y/</Prefix></CommonPrefixes>", namespace=""),
    "truncated": page("<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b=</NextContinuationToken>"),
    "an empty token": page("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
    "common prefixes": page(
        LAST, *(f"<CommonPrefixes><Prefix>{escape(quote(key))}/</Prefix></CommonPrefixes>" for key in ODD_KEYS)
    ),
    "missing members": page("<Contents/>", "<Contents><Key/></Contents>", "<CommonPrefixes/>"),
    "texts that are not URL-encoded": page("<Contents><Key> a&#x9;b&#233;é<![CDATA[<&]]> </Key></Contents>"),
    "spaces between elements": page("\n  ", LAST, "\n  <Contents>\n    <Key>x</Key>\n  </Contents>\n<!-- comment -->"),
}


@pytest.mark.parametrize("body", PAGES.values(), ids=PAGES)
def test_a_page_is_what_botocore_makes_of_it(body: bytes) -> None:
    model = botocore.session.Session().get_service_model("s3").operation_model("ListObjectsV2")
    parsed = create_parser("rest-xml").parse({"status_code": 200, "headers": {}, "body": body}, model.output_shape)
    entries = [
        {name: str(value) for name, value in one.items() if name in ("Key", "Size", "ETag")}
        for one in parsed.get("Contents", ())
    ]
    names = ("EncodingType", "NextContinuationToken", "IsTruncated", "CommonPrefixes")
    expected = {name: parsed[name] for name in names if name in parsed}
    assert parse_page(body) == {**expected, **({"Contents": entries} if entries else {})}


def read(body: bytes, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    response, page = {"status_code": status, "headers": {}, "body": body}, dict[str, Any]()
    read_page(response_dict=response, customized_response_dict=page, operation_model=None)
    return response, page


def test_botocore_has_nothing_left_to_parse_of_a_page() -> None:
    response, read_members = read(PAGES["one entry"])
    assert (response["status_code"], response["body"]) == (200, b"")
    assert read_members == {"IsTruncated": False, "Contents": [{"Key": "x", "Size": "1", "ETag": '"e"'}]}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, error("SlowDown").encode()),
        (403, error("AccessDenied").encode()),
        (301, b""),
        (200, error("InternalError").encode()),
        (200, PAGES["one entry"][:-5]),
        (200, PAGES["one entry"] + b"x"),
        (200, b"<html><br></html>"),
        (200, b"\xff\xfe"),
    ],
)
def test_other_responses_are_left_to_botocore(status: int, body: bytes) -> None:
    response, read_members = read(body, status)
    assert (response["status_code"], response["body"], read_members) == (status, body, {})


@pytest.mark.parametrize("body", [b"<html/>", page(LAST).replace(b"ListBucketResult", b"ListAllMyBucketsResult")])
def test_another_document_is_an_error(body: bytes) -> None:
    with pytest.raises(ResponseParserError, match=r"is (html|ListAllMyBucketsResult), not ListBucketResult"):
        read(body)


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><ListBucketResult><Contents><Key>&a;</Key></Contents></ListBucketResult>'
)


@pytest.mark.parametrize("body", [b"", b" \n", BOMB])
def test_an_empty_body_and_entities_are_errors_of_the_server(body: bytes) -> None:
    response, read_members = read(body)
    assert (response["status_code"], response["body"], read_members) == (500, b"", {})


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with start_stub(monkeypatch) as stub:
        yield stub


def store() -> S3ObjectStore:
    return open_destination_store("s3://bucket/out", AwsOptions())


def answer(stub: Stub, *answers: bytes | tuple[int, str]) -> None:
    """Let the server give these answers, one to each request."""
    rest = iter(answers)

    def next_answer(_: dict[str, str]) -> tuple[int, str]:
        one = next(rest)
        return one if isinstance(one, tuple) else (200, one.decode())

    stub.answer = next_answer
    stub.asked.clear()


def test_pages_follow_each_other_by_their_tokens_and_botocore_parses_none(stub: Stub) -> None:
    bodies = []
    listed = store()
    events = listed.requests.connection.client().meta.events
    # Where botocore parses each response of S3 for the first time.
    events.register_first("before-parse.s3.*", lambda response_dict, **_: bodies.append(response_dict["body"]))
    truncated = "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>"
    answer(
        stub,
        page(URL, truncated.format("1/+&amp;"), *(entry(f"out/{key}", 3) for key in ODD_KEYS)),
        page(URL, truncated.format("2")),
        page(URL, LAST, entry("out/z", 0)),
    )
    assert list(listed.list_objects("")) == [*(ListedObject(key, 3) for key in ODD_KEYS), ListedObject("z", 0)]
    tokens = [path.partition("continuation-token=")[2].partition("&")[0] for path in stub.asked]
    assert tokens == ["", "1%2F%2B%26", "2"]
    assert all("encoding-type=url" in path for path in stub.asked)
    assert bodies == [b""] * 3


def test_a_folder_has_its_objects_with_their_etags_and_its_folders(stub: Stub) -> None:
    prefix = "<CommonPrefixes><Prefix>out/a/b%20%2B/</Prefix></CommonPrefixes>"
    answer(stub, page(URL, LAST, entry("out/a/x", 7, "1-2"), entry("out/a/", 0), prefix))
    listing = store().list_folder("a")
    assert (listing.folders, listing.sizes, listing.etags["x"]) == (("b +",), {"x": 7}, '"1-2"')


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (URL + "<Contents><Size>1</Size></Contents>", "Key"),
        ("<Contents><Size>1</Size></Contents>", "Contents.Key"),
        ("<Contents><Key/><Size>1</Size></Contents>", "Contents.Key"),
        ("<Contents><Key>out/x</Key></Contents>", "Contents.Size"),
        ("<Contents><Key>out/x</Key><Size/></Contents>", "Contents.Size"),
        ("<Contents><Key>out/x</Key><Size>-1</Size></Contents>", "valid Contents.Size"),
        ("<Contents><Key>out/x</Key><Size>many</Size></Contents>", "valid Contents.Size"),
        (URL + "<CommonPrefixes/>", "Prefix"),
        ("<CommonPrefixes/>", "CommonPrefixes.Prefix"),
        ("<IsTruncated>true</IsTruncated>", "NextContinuationToken"),
        ("<IsTruncated>true</IsTruncated><NextContinuationToken/>", "NextContinuationToken"),
        ("<NextContinuationToken>1</NextContinuationToken>", "IsTruncated"),
    ],
)
def test_a_missing_member_is_an_error_that_names_it(stub: Stub, content: str, missing: str) -> None:
    answer(stub, page(content))
    with pytest.raises(StorageError) as caught:
        store().list_folder("")
    assert caught.value.what == f"the response to ListObjectsV2 has no {missing}"
    assert caught.value.where.startswith("s3://bucket/out")
    assert "--endpoint-url" in caught.value.hint


def test_an_object_without_an_etag_is_listed(stub: Stub) -> None:
    answer(stub, page("<Contents><Key>out/x</Key><Size>1</Size></Contents>"))
    listing = store().list_folder("")
    assert (listing.sizes, listing.etags) == ({"x": 1}, {})


RETRIED = {
    "503": (503, error("SlowDown")),
    "error in a page": (200, error("InternalError")),
    "cut off": PAGES["one entry"][:-5],
    "HTML": (200, "<!DOCTYPE html><html><body><br></body></html>"),
    "empty": b"",
}


@pytest.mark.parametrize("first", RETRIED.values(), ids=RETRIED)
def test_damaged_responses_are_retried(stub: Stub, first: bytes | tuple[int, str]) -> None:
    answer(stub, first, page(LAST, entry("out/x")))
    assert list(store().list_objects("")) == [ListedObject("x", 1)]
    answer(stub, first, first)
    with pytest.raises(StorageError, match=r"throttled|AWS rejected ListObjectsV2: (500|InternalError) \(500\)"):
        list(store().list_objects(""))
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    ("status", "code", "message"), [(403, "AccessDenied", "s3:ListBucket"), (404, "NoSuchBucket", "does not exist")]
)
def test_errors_are_those_of_botocore_at_once(stub: Stub, status: int, code: str, message: str) -> None:
    answer(stub, (status, error(code)))
    with pytest.raises(StorageError, match=message):
        list(store().list_objects(""))
    assert len(stub.asked) == 1


def test_another_document_names_the_listing_and_the_server_to_check(stub: Stub) -> None:
    answer(stub, b"<html/>")
    with pytest.raises(StorageError, match=r"can't be parsed: .* is html, not ListBucketResult") as caught:
        list(store().list_objects("x"))
    assert caught.value.where == "s3://bucket/out/x"
