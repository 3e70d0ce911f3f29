"""Pub/Sub in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.pubsub.seed import Subscription, add_subscriptions, add_topics
from localcloud.pubsub.service import PubSub

PUBSUB = Service(
    lambda cloud: PubSub(cloud.clock),
    transports=(
        Api("google.pubsub_v1.services.publisher", "Publisher"),
        Api("google.pubsub_v1.services.subscriber", "Subscriber"),
    ),
    sections=(
        Section(Project, "topics", list[str], add_topics, default=list),
        Section(Project, "subscriptions", dict[str, Subscription], add_subscriptions),
    ),
    close=PubSub.close,
)
