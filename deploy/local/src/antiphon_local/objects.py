"""A store of objects with Amazon's S3 protocol for tests: moto's server, a program of its own that is never imported."""

import re
import sys
from collections.abc import Sequence
from typing import ClassVar, Final

import httpx
import orjson
from typing_extensions import override

from antiphon_local.errors import SetupError
from antiphon_local.native import NativeService
from antiphon_local.ports import LOOPBACK
from antiphon_local.procs import http_ready

REGION: Final = "eu-central-1"
BUCKET: Final = "media"
"""The bucket that is there after each start."""

_POLICY: Final = orjson.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
).decode()

_VERSIONED: Final = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"

_SERVE: Final = "import sys; from moto.server import main; main(sys.argv[2:])"


class ObjectStore(NativeService):
    """One node in memory: each start begins with one empty bucket. Signatures are checked, with the same key after each start."""

    name: ClassVar[str] = "objects"
    grace_s: ClassVar[float] = 2.0
    disk_mb: ClassVar[int] = 20

    access_key: str = ""
    secret_key: str = ""

    @property
    @override
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @override
    def _prepare(self) -> None:
        """Everything is in the arguments."""

    @override
    def _argv(self) -> Sequence[str]:
        return (sys.executable, "-I", "-c", _SERVE, str(self.directory), "-H", LOOPBACK, "-p", str(self.ports[0]))

    @override
    def answers(self) -> bool:
        return http_ready(f"{self.address}/moto-api/data.json")

    @override
    def _start_once(self, timeout_s: float) -> None:
        super()._start_once(timeout_s)
        self._call("POST", "/moto-api/seed?a=1")  # of what keys are made
        self._iam(Action="CreateUser", UserName="antiphon")
        made = self._iam(Action="CreateAccessKey", UserName="antiphon")
        self.access_key, self.secret_key = _text(made, "AccessKeyId"), _text(made, "SecretAccessKey")
        self._iam(Action="PutUserPolicy", UserName="antiphon", PolicyName="all", PolicyDocument=_POLICY)
        self.create(BUCKET)

    def create(self, bucket: str, *, versions: bool = False) -> None:
        """Create a bucket, without a signature; `versions`: it keeps what is overwritten and removed."""
        self._call("POST", "/moto-api/reset-auth", content=b"inf")
        self._call("PUT", f"/{bucket}")
        if versions:
            self._call("PUT", f"/{bucket}?versioning", content=_VERSIONED)
        self._call("POST", "/moto-api/reset-auth", content=b"0")

    def _iam(self, **parameters: str) -> str:
        return self._call("POST", "/", service="iam", data={**parameters, "Version": "2010-05-08"})

    def _call(
        self, method: str, path: str, *, service: str = "s3", content: bytes | None = None, data: dict[str, str] | None = None
    ) -> str:
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential=setup/20260101/us-east-1/{service}/aws4_request"}
        with httpx.Client(base_url=self.address, trust_env=False, timeout=30.0) as http:
            answer = http.request(method, path, headers=headers, content=content, data=data)
        if not answer.is_success:
            raise SetupError(f"{self.name}: {method} {path} answered {answer.status_code}: {answer.text[:300]}", "see its log")
        return answer.text


def _text(answer: str, element: str) -> str:
    found = re.search(rf"<{element}>([^<]+)</{element}>", answer)
    if found is None:
        raise SetupError(f"the store of objects made no {element}", "see its log")
    return found[1]
