"""A member of the group that leaves when it stops, also when it has a fixed name.

aiokafka's members with a ``group.instance.id`` never leave: after a clean stop their partitions lie still until the session times
out. Here a stop is a stop. A worker that is killed says nothing, and one that comes back under its name within the session timeout
takes its partitions up again without a rebalance.
"""

from __future__ import annotations

import logging

import aiokafka  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError, for_code  # type: ignore[import-untyped]
from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String  # type: ignore[import-untyped]

from streams.engine.pace import pace

log = logging.getLogger("fenghuo.engine")


class _LeaveGroupResponse(Response):  # type: ignore[misc]
    API_KEY = 13
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("members", Array(("member_id", String("utf-8")), ("group_instance_id", String("utf-8")), ("error_code", Int16))),
    )


class _LeaveGroupRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 13
    API_VERSION = 3
    RESPONSE_TYPE = _LeaveGroupResponse
    SCHEMA = Schema(("group", String("utf-8")), ("members", Array(("member_id", String("utf-8")), ("group_instance_id", String("utf-8")))))


class _NamedLeave(Request[_LeaveGroupRequest]):  # type: ignore[misc]
    """KIP-345: the version of LeaveGroup that can name a static member. aiokafka knows the two before it."""

    API_KEY = 13

    def __init__(self, group: str, member: str, instance: str) -> None:
        self._group, self._member, self._instance = group, member, instance

    def build(self, request: type[_LeaveGroupRequest]) -> _LeaveGroupRequest:
        return request(self._group, [(self._member, self._instance)])


class GroupConsumer(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer, with the way out, and fetching at a pace."""

    async def start(self) -> None:
        """Join and begin to fetch."""
        await super().start()
        pace(self._fetcher)

    async def stop(self) -> None:
        """End fetching and membership. Never fails for the leave: the session timeout does the same, later."""
        coordinator = self._coordinator
        instance = self._group_instance_id
        if not self._closed and coordinator is not None and instance is not None and coordinator.generation > 0:
            member = coordinator.member_id
            await coordinator.close()  # no heartbeat after this, so nothing joins anew
            try:
                answer = await coordinator._send_req(_NamedLeave(coordinator.group_id, member, instance))
                codes = [answer.error_code, *(code for _member, _instance, code in answer.members)]
                refused = next((for_code(code) for code in codes if code), None)
            except (KafkaError, NotImplementedError) as error:
                refused = type(error)
            if refused is not None:
                log.warning("could not leave the group under the name %s (%s): its partitions move when the session times out", instance, refused.__name__)
        await super().stop()
