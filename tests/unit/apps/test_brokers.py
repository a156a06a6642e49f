"""Which broker is used, and what is said when it cannot be."""

from pathlib import Path

import pytest

from linkflow.adapters.memory import MemoryEventBus
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.apps.brokers import open_blobs, open_coordination, open_queue
from linkflow.apps.settings import SettingInvalid, Settings
from linkflow.domain.errors import Unavailable
from linkflow.testing.servers import free_port


async def test_without_a_broker_everything_stays_in_the_process(tmp_path: Path) -> None:
    """With no setting the queue and the nudges are this process' own."""
    settings = Settings(home=tmp_path)
    async with open_queue(settings) as queue, open_coordination(settings) as shared:
        kinds = (type(queue), type(shared.bus))

    assert (MemoryTaskQueue, MemoryEventBus) == kinds


@pytest.mark.parametrize("queue", ["redis", "rabbitmq"])
async def test_a_broker_without_an_address_is_refused(queue: str, tmp_path: Path) -> None:
    """A queue that needs a broker names the setting that says where it is."""
    with pytest.raises(SettingInvalid, match=f"set LINKFLOW_{queue.upper()}_URL"):
        async with open_queue(Settings(home=tmp_path, queue=queue)):
            pass


async def test_a_broker_that_does_not_answer_stops_the_start(tmp_path: Path) -> None:
    """A broker that is not there is told at the start."""
    nobody = f"127.0.0.1:{free_port()}"
    redis = Settings(home=tmp_path, queue="redis", redis_url=f"redis://{nobody}/0")
    rabbitmq = Settings(home=tmp_path, queue="rabbitmq", rabbitmq_url=f"amqp://guest:guest@{nobody}/")
    said = []
    for opening in (open_queue(redis), open_coordination(redis), open_queue(rabbitmq)):
        with pytest.raises(Unavailable) as caught:
            async with opening:
                pass
        said.append(str(caught.value).split(" did not answer")[0])

    assert ["Redis", "Redis", "RabbitMQ"] == said


async def test_half_a_key_is_refused(tmp_path: Path) -> None:
    """A key without its secret is told before anybody is asked."""
    settings = Settings(home=tmp_path, s3_bucket="b", s3_key="k", s3_endpoint="http://127.0.0.1:1")

    with pytest.raises(SettingInvalid, match="set both or neither"):
        await open_blobs(settings)
