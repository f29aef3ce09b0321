"""An S3 server as a test sees it: where it is, who may use it, and what lies in its buckets."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

EMPTY = os.devnull
# botocore's form: where a variable is in its files, where in the environment, its default, its conversion.
NO_CONFIGURATION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, EMPTY, None),
    "credentials_file": (None, None, EMPTY, None),
}


@dataclass(frozen=True, slots=True)
class S3Server:
    """conditional: whether If-None-Match and If-Match of a PUT are atomic, as they are on S3."""

    endpoint_url: str
    access_key: str
    secret_key: str
    region: str
    name: str
    conditional: bool

    def client(self, **config: object) -> Any:
        """A new boto3 client, untouched by the environment; `config` are arguments of botocore's Config."""
        return self.service("s3", s3={"addressing_style": "path"}, **config)

    def service(self, name: str, **config: object) -> Any:
        """A new boto3 client of any service that the server plays."""
        return _session().client(
            name,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(**config),
        )

    def environment(self) -> dict[str, str]:
        """What makes the program use this server and nothing of the machine's own; AWS_PROFILE must not be set."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": EMPTY,
            "AWS_SHARED_CREDENTIALS_FILE": EMPTY,
        }

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes the program in this process use this server and nothing of the machine's own."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)

    def new_bucket(self) -> str:
        """The name of an empty bucket that no other test knows."""
        bucket = f"test-{uuid.uuid4().hex}"
        _own_client(self).create_bucket(Bucket=bucket)
        return bucket

    def upload(self, bucket: str, folder: Path, prefix: str = "") -> None:
        """Put all files below a folder into a bucket, called by the prefix and their paths in the folder."""
        client = _own_client(self)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                client.put_object(Bucket=bucket, Key=f"{prefix}{path.relative_to(folder)}", Body=path.read_bytes())

    def listing(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """All objects under a prefix: their bytes by their keys."""
        client = _own_client(self)
        return {
            found["Key"]: client.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for found in page.get("Contents", [])
        }

    def download(self, bucket: str, folder: Path, prefix: str = "") -> list[Path]:
        """Copy all objects under a prefix to files below a folder, called by their keys; the files, sorted."""
        paths = []
        for key, content in sorted(self.listing(bucket, prefix).items()):
            paths.append(folder / key)
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(content)
        return paths

    def delete(self, bucket: str, ending: str = "") -> None:
        """Delete all objects whose keys end so."""
        client = _own_client(self)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                if found["Key"].endswith(ending):
                    client.delete_object(Bucket=bucket, Key=found["Key"])

    def uploads(self, bucket: str) -> list[str]:
        """The keys of the multipart uploads that are neither completed nor aborted, sorted; one for each upload."""
        pages = _own_client(self).get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
        return sorted(upload["Key"] for page in pages for upload in page.get("Uploads", []))


@cache
def _session() -> Any:
    """Shared: each session reads the description of a service anew."""
    return boto3.Session(botocore_session=botocore.session.Session(NO_CONFIGURATION))


@cache
def _own_client(server: S3Server) -> Any:
    """Making a client takes longer than most requests."""
    return server.client()
