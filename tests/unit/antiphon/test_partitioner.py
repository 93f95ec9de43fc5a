"""The quick partitioner agrees with the client's own, and so with every other producer."""

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from antiphon.partitioner import murmur2, partition_of


@given(st.binary(max_size=80), st.integers(1, 50))
def test_same_key_same_partition(key: bytes, count: int) -> None:
    assert murmur2(key) == reference(key) & 0xFFFFFFFF
    partitions = list(range(count))
    assert partition_of(key, partitions, partitions) == DefaultPartitioner()(key, partitions, partitions)


def test_no_key_any_available_partition() -> None:
    assert {partition_of(None, [0, 1, 2], [1, 2]) for _ in range(100)} == {1, 2}
    assert partition_of(None, [0], []) == 0
