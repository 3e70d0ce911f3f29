"""Google's own spend caps, which pause the usage of one service in one project once it has cost an amount.

Public preview, over REST alone: https://cloud.google.com/billing/docs/how-to/budgets-spend-caps
"""

from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from msgspec import Meta

from shared.settings import Model, ProjectId

OF_CAPS = "/spendCaps/"


class CappedService(StrEnum):
    """The services that Google can cap."""

    GEMINI_API = "gemini_api"
    AGENT_PLATFORM = "agent_platform"
    CLOUD_RUN = "cloud_run"
    CLOUD_RUN_FUNCTIONS = "cloud_run_functions"


IDS = {
    CappedService.GEMINI_API: "services/AEFD-7695-64FA",
    CappedService.AGENT_PLATFORM: "services/C7E2-9256-1C43",
    CappedService.CLOUD_RUN: "services/152E-C115-5142",
    CappedService.CLOUD_RUN_FUNCTIONS: "services/29E7-DA93-CA13",
}
"""Their ids in the catalogue of Cloud Billing."""
RUNNING_CARETAKER = frozenset({CappedService.CLOUD_RUN, CappedService.CLOUD_RUN_FUNCTIONS})
"""Capped in the project of the suite, these stop Caretaker itself."""


class CapState(StrEnum):
    """The actual state of a spend cap, in Google's words."""

    CONFIGURED = "CONFIGURED"
    ENFORCED = "ENFORCED"
    AWAITING_NEXT_PERIOD = "AWAITING_NEXT_PERIOD"


class SpendCap(Model, frozen=True, kw_only=True):
    """A spend cap that Caretaker creates and keeps."""

    billing_account: Annotated[
        str, Meta(pattern=r"^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$", examples=["0A1B2C-3D4E5F-6A7B8C"])
    ]
    project: ProjectId
    service: CappedService
    amount: Annotated[float, Meta(ge=0, description="For a calendar month, before credits; 0 pauses it at once.")]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", examples=["USD"])]
    even_the_suites_own_project: str = ""
    """To cap Cloud Run or its functions in the project that Caretaker itself runs in, name it here too."""

    @property
    def name(self) -> str:
        """A name for the project and service it caps: Google chooses the budget's own name."""
        return cap_name(self.billing_account, self.project, self.service)

    @property
    def money(self) -> str:
        """The amount as it is compared and recorded."""
        return plain(Decimal(repr(self.amount)))


def cap_name(account: str, project: str, service: CappedService) -> str:
    """The name of a project's cap on a service: ``billingAccounts/A/spendCaps/PROJECT/SERVICE``."""
    return f"billingAccounts/{account}{OF_CAPS}{project}/{service}"


def parts_of(name: str) -> tuple[str, str, CappedService]:
    """The billing account in full, the project and the service of such a name."""
    account, _, rest = name.partition(OF_CAPS)
    project, _, service = rest.partition("/")
    return account, project, CappedService(service)


def title_of(name: str, suite_project: str) -> str:
    """The display name by which the suite of a project knows a budget as its own.

    It is durable as soon as a budget is created, even if a run dies before recording the id that Google
    gave it; two suites never take each other's.
    """
    digest = sha256(f"{suite_project} {name}".encode()).hexdigest()[:12]
    return f"Caretaker {parts_of(name)[2]} {digest}"


def plain(amount: Decimal) -> str:
    """An amount without an exponent or closing zeros: 50.00 is ``50``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
