"""The deployment of the suite: `deployment.yaml`, checked before Terraform starts, and Terraform's variables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from functions.cap_spending.settings import Settings as CapSpending
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.settings import Settings as RotateSecrets
from infra.suite.automations import ROOT, load_functions
from infra.suite.scope import ACCOUNT, REPOSITORY, Scope, scope_of, union_of
from infra.suite.settings import EXPECTED, SETTINGS, read_caretaker_yaml, refuse_another_kind
from shared.debts import Debt
from shared.errors import SettingsError, settings_error_of
from shared.hours import zone_of
from shared.settings import Model, ProjectId, Region, convert, parse
from shared.settings_words import did_you_mean, nearest
from shared.yaml_file import YamlFile, located_in, read_yaml_file

PATH = SETTINGS / "deployment.yaml"
TERRAFORM = ROOT / "infra" / "terraform"
REGION = "europe-west1"  # the default, and that of the local cloud
VARIABLES = "caretaker.auto.tfvars.json"
MOST_BYTES = 30_000
"""Of one function's settings: Cloud Run takes 32 KiB for all variables (https://cloud.google.com/run/quotas)."""

OneT = TypeVar("OneT")
OtherT = TypeVar("OtherT")

Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", examples=["oncall@example.com"])]
Account = Annotated[str, Meta(pattern=ACCOUNT, examples=["api@my-product.iam.gserviceaccount.com"])]
Repository = Annotated[
    str, Meta(pattern=REPOSITORY, examples=["projects/my-product/locations/europe-west1/repositories/images"])
]
BillingAccount = Annotated[
    str, Meta(pattern=r"^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$", examples=["0A1B2C-3D4E5F-6A7B8C"])
]


class NewBudget(Model, frozen=True, kw_only=True):
    """A budget that Terraform creates, with a rule for each rung of its ladder in `caretaker.yaml`."""

    amount: Annotated[float, Meta(gt=0)]
    """Each month, in the currency set in `caretaker.yaml`, to the cent."""
    projects: tuple[ProjectId, ...] = ()
    """The projects whose costs count; by default all of the billing account."""
    display_name: str | None = None

    def __post_init__(self) -> None:
        if self.amount != round(self.amount, 2):
            raise SettingsError("amount", self.amount, f"an amount to the cent, such as {self.amount:.2f}")


class NewSecret(Model, frozen=True, kw_only=True):
    """A secret that Terraform creates, with Secret Manager's own schedule by its `every_days` in `caretaker.yaml`."""

    locations: tuple[Region, ...] = ()
    """The regions that keep its values; by default Google chooses."""


class Alerts(Model, frozen=True, kw_only=True):
    """The recipients of alerts."""

    emails: tuple[Email, ...] = ()
    slack: tuple[
        Annotated[
            str,
            Meta(
                pattern=r"^projects/[^/]+/notificationChannels/[0-9]+$",
                examples=["projects/my-caretaker/notificationChannels/123"],
            ),
        ],
        ...,
    ] = ()
    """Ids of channels that were made in the console, as they hold a token of Slack's."""
    topics: tuple[
        Annotated[
            str, Meta(pattern=r"^projects/[^/]+/topics/[^/]+$", examples=["projects/my-caretaker/topics/alerts"])
        ],
        ...,
    ] = ()


class BillingExport(Model, frozen=True, kw_only=True):
    """A dataset for Cloud Billing's export, with views."""

    billing_account: BillingAccount
    location: str = "EU"
    dataset: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+$")] = "billing_export"
    label: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["team"])] = "team"
    """The label by which a view adds up costs."""
    table_is_there: bool = False
    """Set it a day after the export was switched on: BigQuery refuses a view on a table that does not exist."""


class SignedInReport(Model, frozen=True, kw_only=True):
    """The report on Cloud Run, read-only, behind Identity-Aware Proxy."""

    image: Annotated[
        str, Meta(pattern=r"^[^\s/]+/[^\s]+$", examples=["REGION-docker.pkg.dev/PROJECT/images/report:v1"])
    ]
    """Built from `report/service/Dockerfile`."""
    viewers: Annotated[
        tuple[
            Annotated[
                str,
                Meta(pattern=r"^(user|group|domain|serviceAccount):[^\s:]+$", examples=["group:team@example.com"]),
            ],
            ...,
        ],
        Meta(min_length=1),
    ]
    """The people who may sign in."""
    time_zone: str = "Etc/UTC"
    """Of the page: an IANA name, such as Europe/Berlin."""

    def __post_init__(self) -> None:
        zone_of(self.time_zone)


class Deployment(Model, frozen=True, kw_only=True):
    """The whole of `deployment.yaml`."""

    project: ProjectId
    """The project of the suite: one of its own that looks after others (recommended), or the one it looks after."""
    region: Region = REGION
    firestore_location: Annotated[
        str, Meta(pattern=r"^([a-z]+-[a-z]+[0-9]+|[a-z]{3}[0-9])?$", examples=["europe-west1"])
    ] = ""
    """Permanent: a region, or a multi-region such as eur3. The default is the region."""
    organization: Annotated[str, Meta(pattern=r"^[0-9]*$", examples=["123456789012"])] = ""
    """Its number, if you may make roles in it: then billing permissions are granted by a role of exactly these."""
    state_bucket: str = ""
    """The bucket of Terraform's state; by default PROJECT-caretaker-state."""
    budgets: dict[str, NewBudget] = {}
    """By their keys in `caretaker.yaml`: those that have no `id` there."""
    secrets: dict[str, NewSecret] = {}
    """By their keys in `caretaker.yaml`: those of `rotate_secrets` that do not exist yet."""
    alerts: Alerts = Alerts()
    billing_export: BillingExport | None = None
    report: SignedInReport | None = None
    """A page for those who may sign in, if set: needs an image that you build, and an organization."""
    act_as: dict[str, tuple[Account, ...]] = {}
    """By automation, accounts that it may act as besides those that its section names: what runs the services that it
    moves to new secrets, say."""
    images_of: dict[str, tuple[Repository, ...]] = {}
    """By automation, repositories whose images it may deploy besides those that its section names."""
    buckets: dict[str, ProjectId] = {}
    """The projects of buckets that `caretaker.yaml` names and that are not in the suite's own."""
    images: bool = True
    """Whether Terraform makes the topic `gcr` where the images are. False if it is there already."""
    keep_state_on_destroy: bool = False
    """Whether the database, with what is to be put back, outlives `destroy`."""

    @property
    def bucket(self) -> str:
        """The bucket of Terraform's state."""
        return self.state_bucket or f"{self.project}-caretaker-state"


class Suite(msgspec.Struct, frozen=True):
    """The suite to deploy: its deployment, and the owner's settings."""

    deployment: Deployment
    owner: Mapping[str, object]
    debts: Mapping[str, tuple[Debt, ...]] = {}
    """The debts of each automation: permissions to restore them are granted until they are, under any settings."""

    @property
    def automations(self) -> list[str]:
        """The functions that have a section in the settings."""
        return [name for name in load_functions() if name in self.owner]

    @property
    def new_secrets(self) -> dict[str, Secret]:
        """The secrets that Terraform creates, by their full names."""
        keys = self.deployment.secrets
        rotated = parse(self.owner, "rotate_secrets", RotateSecrets).section.secrets if keys else {}
        return {secret.secret: secret for key, secret in rotated.items() if key in keys}

    def scope(self, automation: str) -> Scope:
        """On what an automation is granted its permissions."""
        deployment = self.deployment
        function = load_functions()[automation]
        sections = [self.owner[automation], *(debt.asks_for for debt in self.debts.get(automation, ()))]
        scope = union_of([scope_of(section, function, deployment.project) for section in sections], function)
        return msgspec.structs.replace(
            scope,
            buckets={bucket: deployment.buckets.get(bucket, project) for bucket, project in scope.buckets.items()},
            accounts=tuple(sorted({*scope.accounts, *deployment.act_as.get(automation, ())})),
            repositories=tuple(sorted({*scope.repositories, *deployment.images_of.get(automation, ())})),
        )


def load_suite(deployment: Path, settings: Path) -> Suite:
    """Both files, checked, each and against each other. Raises ``SettingsError`` with every key that is wrong."""
    (where, deployed), owner = _both(lambda: _read_deployment(deployment), lambda: read_caretaker_yaml(settings))
    suite = Suite(deployed, owner.mapping(EXPECTED))
    if not suite.automations:
        expected = "a section for at least one automation"
        raise SettingsError("", None, expected, problem="found no automation", file=str(settings), line=1)
    wrong: list[SettingsError] = []
    with located_in(where, owner):
        for check in (_check_budgets, _check_secrets, _check_names, _check_sizes):
            wrong += check(suite)
        if wrong:
            raise settings_error_of(wrong)
    return suite


def load_deployment(path: Path) -> Deployment:
    """`deployment.yaml`. Raises ``SettingsError`` with every key that is wrong, and its line."""
    return _read_deployment(path)[1]


def _read_deployment(path: Path) -> tuple[YamlFile, Deployment]:
    file = read_yaml_file(path)
    data = file.mapping("`project` and where to deploy")
    if "project" not in data:
        refuse_another_kind(file, "deployment", "deployment.yaml")
    with located_in(file):
        return file, convert(data, Deployment, "")


def _both(read_one: Callable[[], OneT], read_other: Callable[[], OtherT]) -> tuple[OneT, OtherT]:
    """The values of two files. Raises ``SettingsError`` with what is wrong in either of them."""
    try:
        one = read_one()
    except SettingsError as error:
        try:
            read_other()
        except SettingsError as other:
            raise settings_error_of([error, other]) from None
        raise
    return one, read_other()


def variables(suite: Suite, bundles: Mapping[str, Path]) -> dict[str, object]:
    """The variables of Terraform's root, by name."""
    deployment = msgspec.to_builtins(suite.deployment)
    for name in ("project", "state_bucket", "act_as", "images_of", "buckets"):
        del deployment[name]
    return {
        **deployment,
        "project_id": suite.deployment.project,
        "settings": {name: suite.owner[name] for name in ("mode", *suite.automations) if name in suite.owner},
        "scopes": {name: suite.scope(name) for name in suite.automations},
        # Below the root, so that it is the same to Terraform wherever the checkout is.
        "bundles": {name: f"dist/{path.name}" for name, path in bundles.items()},
    }


def write_variables(suite: Suite, bundles: Mapping[str, Path], folder: Path = TERRAFORM) -> None:
    """Write what Terraform is given to a file of its root that it reads by itself, and that git ignores."""
    encoded = msgspec.json.encode(variables(suite, bundles))
    (folder / VARIABLES).write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")


def _check_sizes(suite: Suite) -> Iterator[SettingsError]:
    """A function's settings that do not fit into its environment variable."""
    for name in suite.automations:
        size = len(msgspec.json.encode(suite.owner[name]))
        if size > MOST_BYTES:
            yield SettingsError(name, f"{size} bytes", f"at most {MOST_BYTES} bytes, as Cloud Run takes no more")
    together = len(msgspec.json.encode({name: suite.owner[name] for name in suite.automations}))
    if suite.deployment.report and together > MOST_BYTES:
        expected = f"at most {MOST_BYTES} bytes of all sections, which the report's service is given"
        yield SettingsError("report", f"{together} bytes", expected)


def _check_names(suite: Suite) -> Iterator[SettingsError]:
    """Automations and buckets in `deployment.yaml` that do not exist.

    An automation need not have a section, so that one can be tried alone without editing `deployment.yaml`.
    """
    for key, names in (("act_as", suite.deployment.act_as), ("images_of", suite.deployment.images_of)):
        for name in names:
            if name not in load_functions():
                yield _unknown(key, name, "an automation", load_functions())
    known = {bucket for name in suite.automations for bucket in suite.scope(name).buckets}
    for bucket in suite.deployment.buckets:
        if known and bucket not in known:
            yield _unknown("buckets", bucket, "a bucket of caretaker.yaml", sorted(known))


def _check_budgets(suite: Suite) -> Iterator[SettingsError]:
    """Budgets without an `id` that are not created, and budgets that are created without a ladder or twice."""
    new = suite.deployment.budgets
    known: Mapping[str, str] = {}
    if "cap_spending" in suite.owner:
        section = parse(suite.owner, "cap_spending", CapSpending).section
        known = {key: budget.id for key, budget in section.budgets.items()}
    for key in new:
        if key not in known:
            yield _unknown("budgets", key, "a key of cap_spending.budgets in caretaker.yaml", known)
        elif known[key]:
            remedy = f"delete it, or cap_spending.budgets.{key}.id in caretaker.yaml"
            yield SettingsError(f"budgets.{key}", key, remedy, problem=f"budgets.{key} has an id", remedy=remedy)
    for key, id_ in known.items():
        if not id_ and key not in new:
            expected = f"the id of an existing budget, or budgets.{key}.amount in deployment.yaml to create one"
            yield SettingsError(f"cap_spending.budgets.{key}.id", None, expected)


def _check_secrets(suite: Suite) -> Iterator[SettingsError]:
    """Secrets that are created although nothing rotates them, or although the suite has made them for itself."""
    rotated: Mapping[str, str] = {}
    if "rotate_secrets" in suite.owner:
        section = parse(suite.owner, "rotate_secrets", RotateSecrets).section
        rotated = {key: secret.secret for key, secret in section.secrets.items()}
    own = {
        f"projects/{suite.deployment.project}/secrets/{mounted.secret}"
        for function in load_functions().values()
        for mounted in function.secrets
    }
    for key in suite.deployment.secrets:
        if key not in rotated:
            yield _unknown("secrets", key, "a key of rotate_secrets.secrets in caretaker.yaml", rotated)
        elif rotated[key] in own:
            remedy = "delete it: Caretaker creates this secret itself"
            yield SettingsError(f"secrets.{key}", rotated[key], remedy, remedy=remedy)


def _unknown(above: str, name: str, what: str, known: Iterable[str]) -> SettingsError:
    """A name that means nothing there, with the nearest of those that do."""
    expected = f"{what}: {', '.join(known) or 'there are none'}"
    remedy = f"expected {expected}{did_you_mean(nearest(name, known))}"
    return SettingsError(f"{above}.{name}", name, expected, problem=f"unknown key {above}.{name}", remedy=remedy)
