"""The world of all automations: a product, its budget, GPUs, a secret, backups, previews; and foreign resources."""

from datetime import UTC, datetime
from typing import Any

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOME, PRODUCT, PREVIEWS, EXPERIMENTS = "caretaker-home", "my-product", "my-previews", "my-experiments"
HOOK = "T0TEAM/B0TEAM/of0the0team"
REGION = f"projects/{PRODUCT}/locations/europe-west1"
PREVIEW_REGION = f"projects/{PREVIEWS}/locations/europe-west1"
GPU = f"projects/{PRODUCT}/locations/europe-west4/clusters/training/nodePools/gpu"
SECRET = f"projects/{PRODUCT}/secrets/key"
ROTATION_DAYS = 30
TEAM = "my-team/my-product"
REGISTRY = f"projects/{PREVIEWS}/locations/europe-west1/repositories/images"
PLACE = f"europe-west1-docker.pkg.dev/{PREVIEWS}/images/api"
BUCKET, PREFIX = "my-backups", "shop/"
OTHERS_BACKUP = "shop-of-others/20251201T000000Z.dump"
NOT_OURS = (f"{PREFIX}README", OTHERS_BACKUP)
ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
BUDGETS = {
    "monthly": ("monthly-budget", 400),
    "team": ("team-budget", 100),
    "experiments": ("experiments-budget", 50),
}
TOKEN = "github_pat_in_the_secret"  # noqa: S105 - of the local GitHub
BOT, WRITER = "caretaker-bot", "maintainer"
IMAGE = "example.com/app@sha256:" + "1" * 64
LIMITED = {"api": 20, "worker": 10}
FOREIGN = {"admin": 5}
BOUNDS = {"enabled": True, "min_node_count": 1, "max_node_count": 4, "location_policy": "BALANCED"}

WORLD: dict[str, Any] = {
    "billing_accounts": {
        ACCOUNT: {"currency_code": "USD", "budgets": {id_: {"amount": amount} for id_, amount in BUDGETS.values()}}
    },
    "projects": {
        HOME: {
            "billing_account_name": ACCOUNT,
            "secrets": {
                "github-token": {"versions": [TOKEN]},
                "chat-webhook": {"versions": [f"https://hooks.slack.com/services/{HOOK}"]},
            },
        },
        EXPERIMENTS: {"billing_account_name": ACCOUNT},
        PRODUCT: {
            "billing_account_name": ACCOUNT,
            "location": "europe-west1",
            "services": {
                name: {
                    "image": IMAGE,
                    "scaling": {"max_instance_count": maximum},
                    "secret_env": {"KEY": "key:1"} if name == "api" else {},
                }
                for name, maximum in {**LIMITED, **FOREIGN}.items()
            },
            "topics": ["imports"],
            "jobs": {"batch-import": {"schedule": "*/15 * * * *", "topic": "imports", "data": "import"}},
            "secrets": {"key": {"versions": ["first"]}},
            "clusters": {
                "europe-west4/training": {
                    "node_pools": {
                        "gpu": {"locations": ["europe-west4-a"], "node_count": 2, "autoscaling": BOUNDS},
                        "cpu": {"node_count": 3},
                    }
                }
            },
            "buckets": {BUCKET: {"objects": {name: {"content": "not ours"} for name in NOT_OURS}}},
        },
        PREVIEWS: {"location": "europe-west1", "repositories": {"images": {}}},
    },
    "chat": {"slack": [HOOK]},
    "github": {"repositories": {TEAM: {"permissions": {WRITER: "write"}}}, "tokens": {TOKEN: {"login": BOT}}},
}


def _budget(key: str, *rungs: dict[str, Any]) -> dict[str, Any]:
    limit = {"projects": [PRODUCT], "regions": ["europe-west1"], "services": list(LIMITED)}
    pause = {"projects": [PRODUCT], "locations": ["europe-west1"], "job_prefix": "batch-"}
    return {
        "billing_account": ACCOUNT,
        "id": BUDGETS[key][0],
        "currency": "USD",
        "ladder": list(rungs),
        "may_touch": {"limit_cloud_run": limit, "pause_schedules": pause},
    }


def owner() -> dict[str, Any]:
    """The whole of the owner's settings, acting."""
    return {
        "mode": "act",
        "cap_spending": {
            "budgets": {
                "monthly": _budget(
                    "monthly",
                    {"at": 0.8, "do": ["previews_off"]},
                    {"at": 1.0, "do": ["limit_cloud_run", "gpu_pools_off"]},
                ),
                "team": _budget("team", {"at": 1.0, "do": ["pause_schedules", "limit_cloud_run"]}),
                "experiments": {
                    **_budget("experiments", {"at": 1.0, "do": ["detach_billing"]}),
                    "may_touch": {"detach_billing": {"projects": [EXPERIMENTS]}},
                },
            },
        },
        "scale_gpu_pools": {
            "pools": {
                "gpu": {
                    "node_pool": {
                        "project": PRODUCT,
                        "location": "europe-west4",
                        "cluster": "training",
                        "name": "gpu",
                    },
                    "size": 1,
                    "hours": {"time_zone": "Etc/UTC", "windows": ["mon-fri 08:00-18:00"]},
                }
            }
        },
        "manage_previews": {
            "github": {"token_secret": f"projects/{HOME}/secrets/github-token"},
            "project": PREVIEWS,
            "region": "europe-west1",
            "service_account": f"preview@{PREVIEWS}.iam.gserviceaccount.com",
            "repositories": {TEAM: {"service": "my-product", "image": PLACE}},
        },
        "prune_backups": {
            "sets": {
                "shop": {
                    "bucket": BUCKET,
                    "prefix": PREFIX,
                    "name": "{time:%Y%m%dT%H%M%S%z}.dump",
                    "retention": {"keep_last": 3, "keep_daily": 3},
                    "max_unknown_names": 2,
                    "max_delete_fraction": 0.9,
                    "proof": "complete",
                    "fresh_within": "3d",
                }
            }
        },
        "notify_chat": {"product": "slack", "webhook_secret": f"projects/{HOME}/secrets/chat-webhook"},
        "rotate_secrets": {
            "dependents_in": [{"project": PRODUCT, "region": "europe-west1"}],
            "secrets": {"key": {"secret": SECRET, "every_days": ROTATION_DAYS, "value": {"kind": "random"}}},
        },
    }
