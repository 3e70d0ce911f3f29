"""The resources that Terraform's own tests compare its plan with: `infra/terraform/tests/resources.json`."""

from typing import Any

import msgspec

from infra.deploy.resources import Sink, Subscription, TickJob, Topic, resources_of, settings_of
from infra.suite.automations import load_functions
from infra.suite.deployment import Deployment, Suite
from infra.tools.examples import every_section

PROJECT = "my-caretaker"
ADDRESS = "http://127.0.0.1:8080"


def expected_resources() -> dict[str, Any]:
    """The example's resources, in the words of Terraform's provider, as far as its tests can see them."""
    suite = Suite(Deployment(project=PROJECT), every_section())
    bundles = {name: f"{name}-0123456789abcdef.zip" for name in load_functions()}
    resources = resources_of(suite, bundles, lambda name: f"{ADDRESS}/{name}")
    subscriptions = [one for one in resources if isinstance(one, Subscription)]
    pushed = [one for one in subscriptions if one.push_endpoint]
    spending: Any = settings_of(suite)["cap_spending"]["cap_spending"]
    return {
        "subscriptions": {
            _id(one.name): {
                "ack_deadline_seconds": one.ack_deadline_seconds,
                "filter": one.filter,
                "max_delivery_attempts": one.max_delivery_attempts,
                "maximum_backoff": f"{one.maximum_backoff_seconds}s",
                "message_retention_duration": f"{one.message_retention_seconds}s",
                "minimum_backoff": f"{one.minimum_backoff_seconds}s",
            }
            for one in pushed
        },
        "dead_letters": {
            _id(one.name): {
                "ack_deadline_seconds": one.ack_deadline_seconds,
                "message_retention_duration": f"{one.message_retention_seconds}s",
            }
            for one in subscriptions
            if not one.push_endpoint
        },
        "sinks": {
            _id(one.name): {"filter": one.filter, "topic": _id(one.topic)} for one in resources if isinstance(one, Sink)
        },
        "paths": {_id(one.name): one.topic for one in pushed},
        "ticks": {
            _id(one.name): {
                "data": {"every_seconds": one.every_seconds, "type": "tick"},
                "schedule": one.schedule,
                "time_zone": one.time_zone,
            }
            for one in resources
            if isinstance(one, TickJob)
        },
        "topics": [_id(one.name) for one in resources if isinstance(one, Topic)],
        "wake": spending["wake"],
    }


def expected_resources_text() -> str:
    """The text of the committed file."""
    return msgspec.json.format(msgspec.json.encode(expected_resources()), indent=2).decode() + "\n"


def _id(name: str) -> str:
    return name.rpartition("/")[2]
