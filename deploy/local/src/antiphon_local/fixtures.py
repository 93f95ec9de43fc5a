"""pytest fixtures over the real backing services, started once a session. A root conftest loads them with `pytest_plugins`."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from antiphon_local.nursery import nurseries
from antiphon_local.objects import ObjectStore
from antiphon_local.services import LocalServices
from antiphon_local.topics import create_topics, load_topics

PARTITIONS = 4
"""Of the catalog's partitioned topics in tests: enough to see keys spread, few enough to be assigned at once."""

FreshTopics = Callable[..., dict[str, str]]
"""`fresh_topics(prefix, names=None, partitions=None)`: see the fixture."""


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Programs of the platform are forked from processes that have loaded them: a quarter of the suite's time."""
    with nurseries():
        yield


@pytest.fixture(scope="session")
def local_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServices]:
    """The three services on free ports and data of their own, with every topic of the catalog."""
    with LocalServices(tmp_path_factory.mktemp("local"), partitions=PARTITIONS) as services:
        yield services


@pytest.fixture(scope="session")
def kafka_bootstrap(local_services: LocalServices) -> str:
    """`host:port` of the broker."""
    return local_services.kafka.address


@pytest.fixture(scope="session")
def mongo_uri(local_services: LocalServices) -> str:
    """URI without a database: take a `unique_name` for one."""
    return local_services.mongo.address


@pytest.fixture(scope="session")
def redis_url(local_services: LocalServices) -> str:
    """URL of database 0: keys are kept apart by a `unique_name` in them."""
    return local_services.valkey.address


@pytest.fixture(scope="session")
def local_env(local_services: LocalServices) -> dict[str, str]:
    """The settings of a service process that shall use these services."""
    return local_services.env()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A store of objects with one bucket: names in it are kept apart by a `unique_name` before them."""
    with ObjectStore(tmp_path_factory.mktemp("objects")) as store:
        yield store


@pytest.fixture(scope="session")
def unique_name() -> Callable[[str], str]:
    """Return `prefix-` and eight characters that no other test gets: brands, databases, consumer groups."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def fresh_topics(kafka_bootstrap: str, unique_name: Callable[[str], str]) -> FreshTopics:
    """Create topics like the catalog's for one test: `fresh_topics(prefix)["ingest.events.v1"]` names its own copy.

    `names` limits them to some of the catalog, `partitions` overrides their counts above one (default 4).
    """

    def create(prefix: str, names: Sequence[str] | None = None, partitions: int = PARTITIONS) -> dict[str, str]:
        own = unique_name(prefix)
        wanted = [topic for topic in load_topics() if names is None or topic.name in names]
        create_topics(kafka_bootstrap, [replace(topic, name=f"{own}.{topic.name}") for topic in wanted], partitions)
        return {topic.name: f"{own}.{topic.name}" for topic in wanted}

    return create
