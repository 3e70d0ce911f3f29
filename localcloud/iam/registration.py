"""IAM in the local cloud: service agents, and access tokens."""

from localcloud.core.service import Service
from localcloud.iam.service_agents import ServiceAgents
from localcloud.iam.tokens import Tokens

SERVICE_AGENTS = Service(lambda _: ServiceAgents(), is_http=True)
TOKENS = Service(lambda _: Tokens(), is_http=True)
