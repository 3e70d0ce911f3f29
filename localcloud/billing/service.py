"""Cloud Billing: google.cloud.billing.v1, the accounts and which project is linked to which.

Detaching a project changes the link, and lets other services refuse what is asked of it (``check_billed``): that Google
then stops what runs in the project is not modelled.
"""

import re
import threading

import grpc
from google.cloud import billing_v1

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, page
from localcloud.core.server import ApiError

LARGEST_PAGE = 100

_ACCOUNT = re.compile(r"^billingAccounts/[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{6}$")
_PROJECT = re.compile(r"^projects/[^/]+$")
_PROJECT_OF = re.compile(r"\bprojects/[^/\"]+")


class CloudBilling:
    """Serves ``google.cloud.billing_v1.CloudBillingClient``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[str, billing_v1.BillingAccount] = {}
        self._linked: dict[str, str] = {}
        self._locked: set[str] = set()
        self._detached: set[str] = set()
        self._lock = threading.Lock()

    def add_account(self, account: billing_v1.BillingAccount) -> None:
        """Let a billing account exist. ``name`` is its full name; no API makes one."""
        _check_account_name(account.name)
        with self._lock:
            self._accounts[account.name] = billing_v1.BillingAccount(account)

    def add_project(self, project: str, billing_account_name: str = "", *, locked: bool = False) -> None:
        """Let a project (its id) exist, linked to an account or to none (""), under a billing lock or not."""
        with self._lock:
            name = f"projects/{project}"
            if billing_account_name and billing_account_name not in self._accounts:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"There is no billing account {billing_account_name!r}.")
            self._linked[name] = billing_account_name
            (self._locked.add if locked else self._locked.discard)(name)

    def has_project(self, project: str) -> bool:
        """Whether a project (its id) exists here, linked or not."""
        with self._lock:
            return f"projects/{project}" in self._linked

    def check_billed(self, request: object) -> None:
        """Refuse a request of another service if the project that it speaks of first has been detached.

        A project that never had a billing account is accepted: worlds need not mention billing.
        """
        with self._lock:
            # Most have not: only then is it worth while to look for a name.
            found = self._detached and _PROJECT_OF.search(str(request))
            if found and found[0] in self._detached:
                raise _not_billed(found[0].removeprefix("projects/"))

    def get_billing_account(self, request: billing_v1.GetBillingAccountRequest) -> billing_v1.BillingAccount:
        """One billing account."""
        with self._lock:
            return billing_v1.BillingAccount(self._account(request.name))

    def list_billing_accounts(
        self, request: billing_v1.ListBillingAccountsRequest
    ) -> billing_v1.ListBillingAccountsResponse:
        """All billing accounts, in order of name; there are no subaccounts to filter by."""
        if request.filter or request.parent:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "The local cloud has no subaccounts to filter by.")
        with self._lock:
            shown, token = page(
                self._accounts,
                request.page_size,
                request.page_token,
                default=LARGEST_PAGE,
                maximum=LARGEST_PAGE,
            )
            return billing_v1.ListBillingAccountsResponse(billing_accounts=shown, next_page_token=token)

    def list_project_billing_info(
        self, request: billing_v1.ListProjectBillingInfoRequest
    ) -> billing_v1.ListProjectBillingInfoResponse:
        """The projects that are linked to an account, in order of name."""
        with self._lock:
            self._account(request.name)
            linked = {
                project: self._info(project) for project, account in self._linked.items() if account == request.name
            }
        shown, token = page(linked, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
        return billing_v1.ListProjectBillingInfoResponse(project_billing_info=shown, next_page_token=token)

    def get_project_billing_info(
        self, request: billing_v1.GetProjectBillingInfoRequest
    ) -> billing_v1.ProjectBillingInfo:
        """The account a project is linked to, if any."""
        with self._lock:
            self._check_project(request.name)
            return self._info(request.name)

    def update_project_billing_info(
        self, request: billing_v1.UpdateProjectBillingInfoRequest
    ) -> billing_v1.ProjectBillingInfo:
        """Link a project to another account, or detach it (an empty ``billing_account_name``).

        A closed account can be linked to: billing is then not enabled. Under a billing lock every change is
        refused (https://cloud.google.com/billing/docs/how-to/secure-project-billing-account-link).
        """
        account = request.project_billing_info.billing_account_name
        with self._lock:
            self._check_project(request.name)
            if account:
                _check_account_name(account)
            if account and account not in self._accounts:
                raise _denied()
            if account != self._linked[request.name] and request.name in self._locked:
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "Precondition check failed.")
            self._linked[request.name] = account
            (self._detached.discard if account else self._detached.add)(request.name)
            return self._info(request.name)

    def _account(self, name: str) -> billing_v1.BillingAccount:
        _check_account_name(name)
        if name not in self._accounts:
            raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")
        return self._accounts[name]

    def _check_project(self, name: str) -> None:
        if not _PROJECT.match(name):
            raise invalid(f"Invalid name {name!r}: expected projects/PROJECT_ID.")
        # Google does not tell a project that is not there from one that the caller may not see.
        if name not in self._linked:
            raise _denied()

    def _info(self, project: str) -> billing_v1.ProjectBillingInfo:
        account = self._linked[project]
        return billing_v1.ProjectBillingInfo(
            name=f"{project}/billingInfo",
            project_id=project.removeprefix("projects/"),
            billing_account_name=account,
            billing_enabled=bool(account) and self._accounts[account].open_,
        )


def _denied() -> ApiError:
    return ApiError(grpc.StatusCode.PERMISSION_DENIED, "The caller does not have permission")


def _not_billed(project: str) -> ApiError:
    where = f"https://console.developers.google.com/billing/enable?project={project}"
    return ApiError(
        grpc.StatusCode.PERMISSION_DENIED,
        "This API method requires billing to be enabled. Please enable billing on project "
        f"#{project} by visiting {where} then retry.",
        reason="BILLING_DISABLED",
        metadata={"consumer": f"projects/{project}"},
    )


def _check_account_name(name: str) -> None:
    if not _ACCOUNT.match(name):
        raise invalid(f"Invalid name {name!r}: expected billingAccounts/XXXXXX-XXXXXX-XXXXXX.")
