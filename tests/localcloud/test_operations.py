"""Long-running operations of the local cloud, through the official stub."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.longrunning import operations_pb2
from google.longrunning.operations_grpc_pb2 import OperationsStub
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int64Value, StringValue

from localcloud import LocalCloud
from localcloud.core.server import ApiError

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
PARENT = "projects/demo-project/locations/europe-west1"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


@pytest.fixture
def stub(cloud: LocalCloud) -> Iterator[OperationsStub]:
    with grpc.insecure_channel(cloud.address) as channel:
        yield OperationsStub(channel)


def get(stub: OperationsStub, operation: operations_pb2.Operation) -> operations_pb2.Operation:
    found: operations_pb2.Operation = stub.GetOperation(operations_pb2.GetOperationRequest(name=operation.name))
    return found


def refuse() -> Message:
    raise ApiError(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more of these")


def test_without_delay_an_operation_is_done_at_once(cloud: LocalCloud, stub: OperationsStub) -> None:
    started = cloud.operations.start(PARENT, lambda: Int64Value(value=7), metadata=StringValue(value="soon"))
    found = get(stub, started)
    result, metadata = Int64Value(), StringValue()
    assert found.done
    assert found.name.startswith(f"{PARENT}/operations/")
    assert found.response.Unpack(result)
    assert found.metadata.Unpack(metadata)
    assert (result.value, metadata.value) == (7, "soon")
    assert started == found


def test_with_a_delay_it_is_done_on_the_clock(cloud: LocalCloud, stub: OperationsStub) -> None:
    worked: list[datetime] = []

    def work() -> Message:
        worked.append(cloud.clock.now())
        return Int64Value()

    started = cloud.operations.start(PARENT, work, after=MINUTE)
    assert not started.done
    assert not get(stub, started).done
    assert worked == []
    cloud.clock.advance(MINUTE)
    assert get(stub, started).done
    assert worked == [START + MINUTE]


@pytest.mark.parametrize("delay", [timedelta(0), MINUTE])
def test_work_that_is_refused_ends_in_an_error(cloud: LocalCloud, stub: OperationsStub, delay: timedelta) -> None:
    started = cloud.operations.start(PARENT, refuse, after=delay)
    cloud.clock.advance(delay)
    found = get(stub, started)
    assert found.done
    assert not found.HasField("response")
    assert (found.error.code, found.error.message) == (grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], "no more of these")


def test_each_has_a_name_of_its_own(cloud: LocalCloud) -> None:
    names = {cloud.operations.start(PARENT, Int64Value).name for _ in range(5)}
    assert len(names) == 5


def test_what_is_handed_out_is_a_copy(cloud: LocalCloud, stub: OperationsStub) -> None:
    started = cloud.operations.start(PARENT, Int64Value, after=MINUTE)
    started.done = True
    assert not get(stub, started).done


def test_waiting_answers_at_once(cloud: LocalCloud, stub: OperationsStub) -> None:
    started = cloud.operations.start(PARENT, Int64Value, after=MINUTE)
    request = operations_pb2.WaitOperationRequest(name=started.name)
    assert not stub.WaitOperation(request).done


def test_there_is_none_of_another_name(stub: OperationsStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        get(stub, operations_pb2.Operation(name=f"{PARENT}/operations/other"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_cancelling_is_not_served(cloud: LocalCloud, stub: OperationsStub) -> None:
    started = cloud.operations.start(PARENT, Int64Value, after=MINUTE)
    with pytest.raises(grpc.RpcError) as caught:
        stub.CancelOperation(operations_pb2.CancelOperationRequest(name=started.name))
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
