"""OpenStack Swift with its S3 API: signatures, checksums, sizes of parts and keys are judged as strictly as on S3.

One node of four servers keeps everything once, in a folder. Its conditional writes are not atomic.
"""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.ministack import is_healthy
from tests.servers.process import LOOPBACK, accepts, free_port, installation, running
from tests.servers.s3 import S3Server

STORES = ("account", "container", "object")
# listing_formats, copy, dlo and versioned_writes are put in by the proxy server itself.
PIPELINE = (
    "catch_errors",
    "gatekeeper",
    "healthcheck",
    "s3api",
    "tempauth",
    "bulk",
    "slo",
    "versioned_writes",
    "symlink",
)
FILTERS: Mapping[str, Mapping[str, object]] = {
    "s3api": {"location": "us-east-1", "min_segment_size": 5 << 20, "max_upload_part_num": 10_000},
    "tempauth": {"user_test_tester": "testing .admin"},
    # Many small parts are read at full speed.
    "slo": {"max_manifest_segments": 10_000, "rate_limit_under_size": 0},
}
# Nothing completes later what one server gave up telling another, so a busy machine must not make it give up.
PATIENCE = dict.fromkeys(("node_timeout", "recoverable_node_timeout", "conn_timeout", "container_update_timeout"), 60)


@contextmanager
def start_swift(folder: Path) -> Iterator[S3Server]:
    """A server of its own that keeps its objects in the folder; the test is skipped where that can't be."""
    python = installation("swift") / "bin" / "python"
    _need_attributes(folder)
    user = _user()
    ports = {kind: free_port() for kind in (*STORES, "proxy")}
    _configure(folder, ports, user)
    node = Path(__file__).with_name("swift_node.py")
    command: list[str | Path] = [python, "-I", "-W", "ignore", node, folder, *(str(ports[kind]) for kind in STORES)]
    url = f"http://{LOOPBACK}:{ports['proxy']}"

    def is_ready() -> bool:
        # The proxy server answers before the others listen.
        return all(accepts(port) for port in ports.values()) and is_healthy(f"{url}/healthcheck")

    with running(command, folder, is_ready, {"PATH": os.defpath}):
        yield S3Server(url, "test:tester", "testing", "us-east-1", "swift", conditional=False)


def _need_attributes(folder: Path) -> None:
    """Swift keeps an object's metadata in extended attributes of its file."""
    try:
        os.setxattr(folder, "user.swift.metadata", b"1")
    except AttributeError:
        pytest.skip("Swift needs Linux")
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip(f"Swift needs extended attributes, which the file system of {folder} does not have")


def _user() -> str:
    """Swift wants a name for whom it runs as, even when that is the one who starts it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        pytest.skip("Swift needs a user that has a name")


def _configure(folder: Path, ports: Mapping[str, int], user: str) -> None:
    etc = folder / "etc"
    etc.mkdir()
    (folder / "devices" / "d1").mkdir(parents=True)
    _write(
        etc / "swift.conf",
        {
            "swift-hash": {"swift_hash_path_prefix": "local", "swift_hash_path_suffix": "local"},
            "storage-policy:0": {"name": "default", "default": "yes"},
        },
    )
    for kind, port in ports.items():
        default = {
            "bind_ip": LOOPBACK,
            "bind_port": port,
            "swift_dir": etc,
            "devices": folder / "devices",
            "mount_check": "false",
            "user": user,
            "workers": 0,
            "log_level": "WARNING",
            "log_udp_host": LOOPBACK,
            "log_udp_port": port,
            "disable_fallocate": "true",
            "fallocate_reserve": 0,
            "recon_cache_path": folder,
        }
        if kind == "proxy":
            own = {"account_autocreate": "true", "allow_account_management": "true", "error_suppression_limit": 10**9}
            own |= PATIENCE
            pipeline = " ".join((*PIPELINE, "proxy-server"))
            filters = {f"filter:{name}": {"use": f"egg:swift#{name}", **FILTERS.get(name, {})} for name in PIPELINE}
        else:
            own, pipeline, filters = {**PATIENCE}, f"{kind}-server", {}
        _write(
            etc / f"{kind}-server.conf",
            {
                "DEFAULT": default,
                "pipeline:main": {"pipeline": pipeline},
                f"app:{kind}-server": {"use": f"egg:swift#{kind}", **own},
                **filters,
            },
        )


def _write(path: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    path.write_text(
        "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
            for name, values in sections.items()
        ),
        "utf-8",
    )
