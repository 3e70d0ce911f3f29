"""Pub/Sub in the local cloud."""

from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.pubsub.seed import Subscription, add_subscriptions, add_topics
from localcloud.pubsub.service import PubSub

PUBSUB = Service(
    lambda cloud: PubSub(cloud.clock),
    transports=(PublisherGrpcTransport, SubscriberGrpcTransport),
    sections=(
        Section(Project, "topics", list[str], add_topics, default=list),
        Section(Project, "subscriptions", dict[str, Subscription], add_subscriptions),
    ),
    close=PubSub.close,
)
