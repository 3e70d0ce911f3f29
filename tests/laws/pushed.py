"""The CloudEvent of a message, as functions-framework makes it of our push: in a tenth of its time."""

import base64
from datetime import UTC

from cloudevents.http import CloudEvent

from tests.laws.scenario import Event, ScenarioError

KIND = "type.googleapis.com/google.pubsub.v1.PubsubMessage"


def cloud_event_of(event: Event, project: str) -> CloudEvent:
    """The CloudEvent of a message that is published in a project. Raises ``ScenarioError`` without a time."""
    if event.published is None:
        raise ScenarioError(f"{event.name}: no time of publication")
    published = event.published.astimezone(UTC).isoformat().replace("+00:00", "Z")
    attributes = {
        "id": event.name,
        "time": published,
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "source": f"//pubsub.googleapis.com/projects/{project}/topics/{event.topic}",
    }
    message = {
        "@type": KIND,
        "data": base64.b64encode(event.payload).decode(),
        "attributes": dict(event.attributes),
        "messageId": event.name,
        "publishTime": published,
    }
    return CloudEvent(attributes, {"message": message})
