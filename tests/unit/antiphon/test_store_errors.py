"""Which failures of the document store a repeat may cure."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from antiphon.mongo import DUPLICATE_KEY, is_transient, transient


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AutoReconnect("gone"), True),
        (ServerSelectionTimeoutError("nobody"), True),
        (WTimeoutError("no majority in time", 64), True),
        (ExecutionTimeout("too slow", 50), True),
        (BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}), True),
        (BulkWriteError({"writeErrors": [{"code": DUPLICATE_KEY, "index": 0}], "writeConcernErrors": [{"code": 64}]}), True),
        (BulkWriteError({"writeErrors": [{"code": 2, "index": 0}]}), False),
        (DuplicateKeyError("twice", DUPLICATE_KEY), False),
        (OperationFailure("not allowed", 13), False),
    ],
)
def test_only_what_may_pass_is_repeated(error: PyMongoError, expected: bool) -> None:
    assert is_transient(error) is expected


def test_addresses_and_credentials_stay_out_of_what_callers_see() -> None:
    assert "canary" not in str(transient(AutoReconnect("mongodb://user:canary@host")))
