"""`caretaker.yaml`, from what a project contains: observing, with a comment wherever the owner has to decide."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from infra.deploy.init.contents import Answers, FoundBudget, FoundJob, FoundNodePool, FoundService, ProjectContents
from infra.deploy.init.yaml_lines import commented, indented, inline, key_of

NEW_BUDGET = "monthly"
CURRENCY = "USD"
KEEP = {"keep_last": 3, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12}


def caretaker_yaml(answers: Answers, found: ProjectContents) -> list[str]:
    """The file, line by line."""
    sections = (
        _spending(answers, found),
        _pools(answers, found),
        _backups(answers, found),
        _secrets(answers, found),
        _previews(answers, found),
    )
    return [
        f"# What Caretaker may do, from what `./deploy.sh init` found in {answers.project}. Read each line, and delete",
        "# what it should leave alone. Sections in comments need a decision. Then run ./deploy.sh doctor and plan.",
        "",
        "# observe: report what would change, and change nothing. act: do it. Each automation can have its own `mode`.",
        "mode: observe",
        *(line for section in sections for line in ("", *section)),
    ]


def creates_budget(answers: Answers, found: ProjectContents) -> bool:
    """Whether a budget has to be created, and can be."""
    return not found.budgets and bool(found.billing_account) and answers.amount is not None


def _spending(answers: Answers, found: ProjectContents) -> list[str]:
    """The budgets, and all services and jobs that one may restrict."""
    if not found.billing_account or not (found.budgets or creates_budget(answers, found)):
        return [
            "# cap_spending: no budget counts the costs of the project. Run init again with --amount to create one, or",
            "# see examples/settings/caretaker.yaml.",
        ]
    budgets: list[str] = []
    keys: list[str] = []
    for budget in found.budgets or (None,):
        keys.append(key_of(budget.name, keys) if budget else NEW_BUDGET)
        budgets += [f"{keys[-1]}:", *indented(_budget(answers, found, budget))]
    return ["cap_spending:", "  budgets:", *indented(budgets, 4)]


def _budget(answers: Answers, found: ProjectContents, budget: FoundBudget | None) -> Iterator[str]:
    if budget:
        yield from commented(["".join(one if one.isprintable() else " " for one in budget.name)])
    yield f"billing_account: {inline(found.billing_account)}"
    if budget:
        yield f"id: {inline(budget.id)}"
    is_known = budget is not None and bool(budget.currency)
    currency = budget.currency if budget and is_known else CURRENCY
    yield f"currency: {inline(currency)}" + ("" if is_known else "  # check: the currency of the billing account")
    actions = ["notify", *_actions(found)]
    yield "ladder:"
    yield "  - {at: 0.5, on: actual, do: [notify]}"
    if budget is None or budget.has_forecast_rule:
        yield "  - {at: 1.0, on: forecast, do: [notify]}"
    yield f"  - {{at: 1.0, on: actual, do: {inline(actions)}}}"
    if found.services or found.jobs:
        yield "# Nothing else is ever touched."
        yield "may_touch:"
        yield from indented(_may_touch(answers, found))


def _actions(found: ProjectContents) -> list[str]:
    """From mild to drastic: those that have something to restrict."""
    return [
        *(["gpu_pools_off"] if found.node_pools or found.worker_pools else []),
        *(["pause_schedules"] if found.jobs else []),
        *(["limit_cloud_run"] if found.services else []),
    ]


def _may_touch(answers: Answers, found: ProjectContents) -> Iterator[str]:
    if found.services:
        yield "limit_cloud_run:"
        yield f"  projects: {inline([answers.project])}"
        yield f"  regions: {inline(_each(one.region for one in found.services))}"
        yield "  services:"
        for one in _once(found.services):
            maximum = f"at most {one.maximum} instances now" if one.maximum else "no maximum now"
            yield f"    - {inline(one.name)}  # {maximum}"
        yield "  max_instances: 1"
    if found.jobs:
        names = ", ".join(_each(one.name for one in found.jobs))
        yield "pause_schedules:"
        yield f"  projects: {inline([answers.project])}"
        yield f"  locations: {inline(_each(one.location for one in found.jobs))}"
        yield f"  job_prefix: {inline(_prefix(found.jobs))}  # jobs that begin with this are paused; there are: {names}"


def _prefix(jobs: Sequence[FoundJob]) -> str:
    """The first word that most jobs share, with its hyphen."""
    words = Counter("".join(job.name.partition("-")[:2]) for job in jobs)
    return max(words, key=lambda word: (words[word], word))


def _pools(answers: Answers, found: ProjectContents) -> list[str]:
    """GPU pools, on in working hours and off when their GPUs are idle."""
    if not (found.node_pools or found.worker_pools):
        return ["# scale_gpu_pools: no node pool or worker pool with a GPU was found."]
    pools = [
        *((one.name, _node_pool(answers, one)) for one in found.node_pools),
        *((one.name, _worker_pool(answers, one)) for one in found.worker_pools),
    ]
    lines: list[str] = []
    keys: list[str] = []
    for name, body in pools:
        keys.append(key_of(name, keys))
        lines += [f"{keys[-1]}:", *indented(body)]
    wake = "{kind: pending_messages, subscription: projects/PROJECT/subscriptions/NAME}"
    return [
        "scale_gpu_pools:",
        "  # `savings: {currency: USD}` here and `hourly_price` in each pool report what was saved.",
        "  pools:",
        *indented(lines, 4),
        *indented([f"  # wake: [{wake}] in a pool turns it on when there is work."], 4),
    ]


def _node_pool(answers: Answers, pool: FoundNodePool) -> list[str]:
    cluster = {"project": answers.project, "location": pool.location, "cluster": pool.cluster}
    signal = {"kind": "gpu_duty_cycle", **cluster, "at_most": 5}
    return [
        f"# {pool.gpus} in each node",
        f"node_pool: {inline(cluster | {'name': pool.name})}",
        f"size: {max(pool.size, 1)}  # nodes in each zone",
        f"hours: {_hours(answers)}",
        f"idle: {{for_minutes: 60, signals: [{inline(signal)}]}}",
    ]


def _worker_pool(answers: Answers, pool: FoundService) -> list[str]:
    name = {"project": answers.project, "region": pool.region, "name": pool.name}
    return [f"worker_pool: {inline(name)}", f"size: {max(pool.count, 1)}", f"hours: {_hours(answers)}"]


def _hours(answers: Answers) -> str:
    return inline({"time_zone": answers.time_zone, "windows": ["mon-fri 08:00-19:00"]})


def _backups(answers: Answers, found: ProjectContents) -> list[str]:
    """A set for each form of names in a bucket of backups."""
    lines: list[str] = []
    keys: list[str] = []
    for bucket in found.buckets:
        for one in bucket.sets:
            keys.append(key_of(one.prefix or bucket.name, keys))
            lines += [
                f"{keys[-1]}:",
                f"  # {one.count:,} objects of the first page of the bucket",
                f"  bucket: {inline(bucket.name)}",
                f"  prefix: {inline(one.prefix)}",
                f"  name: {inline(one.pattern)}",
                f"  time_zone: {inline(answers.time_zone)}",
                f"  retention: {inline(KEEP)}",
                "  floor: 7",
                "  fresh_within: 36h",
            ]
    if lines:
        return ["prune_backups:", "  sets:", *indented(lines, 4)]
    names = f" (looked into: {', '.join(one.name for one in found.buckets)})" if found.buckets else ""
    return [f"# prune_backups: no bucket has three objects or more that are named for a time{names}."]


def _secrets(answers: Answers, found: ProjectContents) -> list[str]:
    """Every secret in a comment: only its owner knows what kind of value it has."""
    if not found.secrets:
        return ["# rotate_secrets: no secret was found."]
    where = [{"project": answers.project, "region": region} for region in answers.regions]
    keys: list[str] = []
    lines = [
        "rotate_secrets:",
        f"  dependents_in: {inline(where)}",
        f'  hours: {{time_zone: {inline(answers.time_zone)}, windows: ["mon-thu 09:00-16:00"]}}',
        "  secrets:",
    ]
    for secret in found.secrets:
        keys.append(key_of(secret.rpartition("/")[2], keys))
        lines += [
            f"    {keys[-1]}:",
            f"      secret: {inline(secret)}",
            "      every_days: 90",
            "      value: {kind: random, length: 48}",
        ]
    return [
        "# Keep the secrets whose values Caretaker may make up, and delete the others: a key that another company gave",
        "# you is not random. For PostgreSQL and GitHub webhooks see functions/rotate_secrets/README.md.",
        *commented(lines),
    ]


def _previews(answers: Answers, found: ProjectContents) -> list[str]:
    """Previews in a comment: they need a token, an account without permissions, and images."""
    repository = answers.repository or "my-team/my-product"
    service = key_of(repository.rpartition("/")[2])
    tokens = [one for one in found.secrets if "github" in one and "token" in one]
    token = next(iter(tokens), f"projects/{answers.project}/secrets/github-token")
    account = f"preview@{answers.project}.iam.gserviceaccount.com"
    image = f"{answers.regions[0]}-docker.pkg.dev/{answers.project}/images/{service}"
    lines = [
        "receive_github:",
        f"  repositories: {inline([repository])}",
        "manage_previews:",
        f"  github: {inline({'token_secret': token})}",
        f"  project: {inline(answers.project)}",
        f"  region: {inline(answers.regions[0])}",
        f"  service_account: {inline(account)}  # without any permission",
        "  repositories:",
        f"    {inline(repository)}:",
        f"      service: {inline(service)}",
        f"      image: {inline(image)}",
        '      tag: "{sha}"',
    ]
    return [
        "# Previews of pull requests: docs/deploy.md says what they need. Better in a project without production.",
        *commented(lines),
    ]


def _each(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _once(services: Sequence[FoundService]) -> Iterator[FoundService]:
    """A service of several regions once."""
    yield from {one.name: one for one in services}.values()
