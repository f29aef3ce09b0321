"""Settings for libraries with their own S3 client, so that they access a bucket as the program does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import NoCredentialsError

from converter.aws.access import ATTEMPTS, Access, Connection, make_session
from converter.aws.client_errors import AWS_ERRORS, client_error
from converter.aws.s3_uri import s3_uri
from converter.display import without_users
from converter.object_store import Credentials, ReaderSettings


def reader_settings_of(connection: Connection, bucket: str) -> ReaderSettings:
    """Return the settings to read a bucket with the access of a connection. Raises StorageError and UsageError.

    Such libraries do not follow redirects to the region of the bucket, so S3 is asked for the region. They can't check
    the owner of the bucket, so it is checked here.
    """
    access = connection.access
    client = connection.client()
    owner = {} if access.bucket_owner is None else {"ExpectedBucketOwner": access.bucket_owner}
    try:
        region = client.head_bucket(Bucket=bucket, **owner).get("BucketRegion") or client.meta.region_name
    except AWS_ERRORS as error:
        raise client_error(error, s3_uri(bucket), access.bucket_owner) from error
    if region != client.meta.region_name:
        client = Connection(replace(access, region=region), "s3").client()
    url = without_users(str(client.meta.endpoint_url))
    options = {
        "aws_region": region,
        # These override variables of the environment, which the libraries read too.
        "aws_endpoint_url": url,
        "aws_virtual_hosted_style_request": "false",
        "aws_allow_http": "true" if url.startswith("http://") else "false",
    }
    return ReaderSettings(options, _credentials_of(access, s3_uri(bucket)), ATTEMPTS - 1)


def _credentials_of(access: Access, place: str) -> Callable[[], Credentials]:
    session = make_session(access)

    def credentials() -> Credentials:
        try:
            held: Any = session.get_credentials()
            if held is None:
                raise NoCredentialsError
            frozen = held.get_frozen_credentials()
        except AWS_ERRORS as error:
            raise client_error(error, place) from error
        members = {"aws_access_key_id": frozen.access_key, "aws_secret_access_key": frozen.secret_key}
        if frozen.token:
            members["aws_session_token"] = frozen.token
        # Credentials that do not expire have no such member.
        expiry = getattr(held, "_expiry_time", None)
        return members, None if expiry is None else int(expiry.timestamp())

    return credentials
