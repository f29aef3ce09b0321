"""Access to AWS: profile, region, endpoint and role, and the clients for them."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from converter.aws.identifiers import check_account, check_kms_key
from converter.display import without_users
from converter.errors import UsageError
from converter.option_values import check_choice
from converter.version import VERSION

Sse = Literal["AES256", "aws:kms", "aws:kms:dsse"]
Side = Literal["source", "destination"]
Acl = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]

CONNECT_SECONDS = 10
READ_SECONDS = 60
ATTEMPTS = 8
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Access of one side of a run to AWS. None is the value of the AWS environment.

    bucket_owner: account that must own the bucket, otherwise each request fails.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    role_arn: str | None = None
    bucket_owner: str | None = None


class Connection:
    """Connection to a service of AWS, such as `s3`. Each process creates the client on first use.

    Throttled requests and errors of AWS or the network are retried with backoff, in 8 attempts, unless the AWS
    environment has other settings (AWS_MAX_ATTEMPTS, AWS_RETRY_MODE, or the profile).
    """

    def __init__(self, access: Access, service: str) -> None:
        self.access = access
        self._service = service
        self._making = threading.Lock()
        self._client: Any = None

    def __reduce__(self) -> tuple[type[Connection], tuple[Access, str]]:
        return Connection, (self.access, self._service)

    def client(self) -> Any:
        """Return the client, which is thread-safe. Raises UsageError, StorageError."""
        with self._making:
            if self._client is None:
                self._client = _make_client(self.access, self._service)
            return self._client


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions:
    """Access to S3, and settings of written objects. None is the value of the AWS environment.

    source_role_arn, dest_role_arn: roles to assume for reading and for publishing. source_bucket_owner,
    dest_bucket_owner: accounts that must own the buckets. dest_sse, dest_kms_key_id: encryption of all written objects.
    acl: their ACL. storage_class: storage class of the parts.

    Raises UsageError for an empty value, an unknown encryption or ACL, a key without an encryption that uses it, and a
    key, account or endpoint that is not valid. A user and a password in the endpoint are dropped, because requests are
    signed with AWS credentials instead.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    source_role_arn: str | None = None
    dest_role_arn: str | None = None
    source_bucket_owner: str | None = None
    dest_bucket_owner: str | None = None
    dest_sse: Sse | None = None
    dest_kms_key_id: str | None = None
    acl: Acl | None = None
    storage_class: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) == "":
                raise UsageError("the value is empty", _option(field.name), "set a value, or remove the option")
        for name, value, known in (("dest_sse", self.dest_sse, Sse), ("acl", self.acl, Acl)):
            if value is not None:
                check_choice(_option(name), value, get_args(known))
        if self.dest_kms_key_id is not None and self.dest_sse not in ("aws:kms", "aws:kms:dsse"):
            raise UsageError(
                "a KMS key requires KMS encryption", "--dest-kms-key-id", "add --dest-sse aws:kms or aws:kms:dsse"
            )
        if self.dest_kms_key_id is not None:
            check_kms_key(self.dest_kms_key_id, "--dest-kms-key-id", any_store=True)
        for option in ("source_bucket_owner", "dest_bucket_owner"):
            owner = getattr(self, option)
            if owner is not None:
                check_account(owner, _option(option))
        if self.endpoint_url is not None:
            object.__setattr__(self, "endpoint_url", _check_endpoint(self.endpoint_url))

    def check_unused(self, side: Side, folder: str) -> None:
        """Raise UsageError for an option of a side that is a local folder, on which it has no effect."""
        for name in _OF_SOURCE if side == "source" else _OF_DEST:
            if getattr(self, name) is not None:
                raise UsageError(
                    f"this option requires a {side} in S3, but {folder!r} is a local folder",
                    _option(name),
                    "remove the option",
                )

    def for_source(self) -> Access:
        """Return the access to the source."""
        return self._access(self.source_role_arn, self.source_bucket_owner)

    def for_dest(self) -> Access:
        """Return the access to the destination."""
        return self._access(self.dest_role_arn, self.dest_bucket_owner)

    def on_write(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters of each request that writes an object."""
        given = {"ServerSideEncryption": self.dest_sse, "SSEKMSKeyId": self.dest_kms_key_id, "ACL": self.acl}
        return tuple((name, value) for name, value in given.items() if value is not None)

    def _access(self, role_arn: str | None, owner: str | None) -> Access:
        return Access(
            profile=self.profile,
            region=self.region,
            endpoint_url=self.endpoint_url,
            role_arn=role_arn,
            bucket_owner=owner,
        )


AS_THE_ENVIRONMENT_SAYS = AwsOptions()

_OF_SOURCE = ("source_role_arn", "source_bucket_owner")
_OF_DEST = ("dest_role_arn", "dest_bucket_owner", "dest_sse", "dest_kms_key_id", "acl", "storage_class")


def _check_endpoint(url: str) -> str:
    """Return the address without its user part, which must not be shown. Raises UsageError."""
    bare = without_users(url)
    try:
        parts = urlsplit(bare)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in bare
    except ValueError:
        known = False
    if not known:
        what = f"{bare.rpartition('@')[2]!r} is not an http:// or https:// address"
        raise UsageError(what, "--endpoint-url", "use http://host:port or https://host")
    return bare


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _make_client(access: Access, service: str) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    from converter.aws.client_errors import client_error

    try:
        session = make_session(access)
        given = session.get_config_variable("max_attempts")
        config = Config(
            retries={
                "mode": session.get_config_variable("retry_mode"),
                "total_max_attempts": ATTEMPTS if given is None else given,
            },
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
            # Data files are checked with the md5 in the manifest, and parts have checksums that the program computes.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent_extra=f"ddb-convert/{VERSION}",
        )
        region = _region(access, session)
        # Every region of S3 can answer in which region a bucket is.
        if region is None and service == "s3":
            region = "us-east-1"
        return session.create_client(service, region_name=region, endpoint_url=access.endpoint_url, config=config)
    except BotoCoreError as error:
        raise client_error(error, access.role_arn or access.profile or service) from error


def _region(access: Access, session: Any) -> str | None:
    # Containers in AWS set AWS_REGION, which botocore does not read.
    region: str | None = access.region or session.get_config_variable("region") or os.environ.get("AWS_REGION")
    return region


def make_session(access: Access) -> Any:
    """Create a botocore session with the credentials of this access, which are renewed before they expire."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import CredentialRetrievalError

    session = _own_session(access)
    if access.role_arn is not None:
        own = _own_session(access)
        region = _region(access, own) or "us-east-1"

        def make_client(service: str, **arguments: Any) -> Any:
            return own.create_client(service, region_name=region, endpoint_url=access.endpoint_url, **arguments)

        fetcher = AssumeRoleCredentialFetcher(
            make_client,
            own.get_credentials(),
            access.role_arn,
            extra_args={"RoleSessionName": f"ddb-convert-{os.getpid()}"},
        )

        def fetch() -> Any:
            try:
                return fetcher.fetch_credentials()
            except KeyError as missing:
                reason = f"the response to AssumeRole has no {missing.args[0]}"
                raise CredentialRetrievalError(provider="assume-role", error_msg=reason) from None

        # Credentials are fetched again before they expire, also in long runs.
        session._credentials = DeferredRefreshableCredentials(fetch, "assume-role")
    return session


def _own_session(access: Access) -> Any:
    import botocore.session

    from converter.aws.list_objects_xml import EVENT, read_page

    session = botocore.session.Session(profile=access.profile)
    session.register(EVENT, read_page)
    session.register_component("data_loader", _load_models(session.get_config_variable("data_path")))
    return session


@cache
def _load_models(path: str | None) -> Any:
    """Load the models of AWS services once, because this is the slowest step in creating a client."""
    from botocore.loaders import create_loader

    return create_loader(path)
