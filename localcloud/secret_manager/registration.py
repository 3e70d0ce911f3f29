"""Secret Manager in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.pubsub.registration import PUBSUB
from localcloud.secret_manager.seed import Secret, add_secrets
from localcloud.secret_manager.service import SecretManager

SECRETS = Service(
    lambda cloud: SecretManager(cloud.clock, cloud.of(PUBSUB)),
    transports=(Api("google.cloud.secretmanager_v1.services.secret_manager_service", "SecretManagerService"),),
    needs_billing=True,
    sections=(Section(Project, "secrets", dict[str, Secret], add_secrets),),
)
