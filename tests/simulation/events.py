"""The events of one step of a life, chosen at random: costs, commands, people, edits, trouble."""

import copy
import random
from collections.abc import Callable

from grpc import StatusCode

from tests.simulation import world
from tests.simulation.life import BACKUP_BYTES, Life, Trouble

METHODS = ("ListServices", "UpdateService", "Commit", "ListNodePools", "SetNodePool", "github", "Secret", "storage")
PASSING = (StatusCode.UNAVAILABLE, StatusCode.ABORTED, StatusCode.INTERNAL)
FINAL = (StatusCode.PERMISSION_DENIED, StatusCode.FAILED_PRECONDITION)
HOURS = (0.1, 0.3, 2, 6, 14, 30, 100)
"""Between two steps. No tick comes meanwhile: a life is months long, and what is missed is part of it."""

Happening = Callable[[Life, random.Random], None]


def step(life: Life, chance: random.Random) -> str:
    """Let time pass, something happen, and some of the ticks come; returns the name of what happened."""
    life.pass_time(chance.choice(HOURS))
    happening = chance.choice(HAPPENINGS)
    happening(life, chance)
    for name in life.automations:
        if chance.random() < 0.7:
            life.tick(name)
    if chance.random() < 0.7:
        life.tell(again=chance.random() < 0.2)
    return happening.__name__.removeprefix("_")


def _costs(life: Life, chance: random.Random) -> None:
    """A budget's costs grow; its notification comes once, twice, late or never."""
    key = chance.choice(list(world.BUDGETS))
    cost, last = life.costs[key]
    if last.month != life.now.month:
        cost = 0.0
    cost += world.BUDGETS[key][1] * chance.choice((0.1, 0.4, 0.9))
    life.costs[key] = (cost, life.now)
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        life.notify(key, cost)
    if chance.random() < 0.3 and last.month == life.now.month:
        life.notify(key, cost * 0.9, at=last)


def _command(life: Life, chance: random.Random) -> None:
    until = f"{life.now:%Y-%m}-28T12:00:00Z"
    name, command = chance.choice(
        (
            ("cap_spending", {"type": "undo"}),
            ("cap_spending", {"type": "snooze", "until": until}),
            ("scale_gpu_pools", {"type": "awake", "until": until}),
            ("scale_gpu_pools", {"type": "off", "until": until}),
            ("cap_spending", {"type": "link_billing", "project": world.EXPERIMENTS}),
            ("manage_previews", {"type": "pause"}),
            ("manage_previews", {"type": "resume"}),
            ("rotate_secrets", {"type": "rotate"}),
            ("rotate_secrets", {"type": "roll_back", "secret": "key"}),
            ("prune_backups", {"type": "prune"}),
        )
    )
    life.deliver(name, command)


def _person_sets_a_maximum(life: Life, chance: random.Random) -> None:
    life.set_maximum(chance.choice(list(world.LIMITED)), chance.choice((3, 7, 20, 30)))


def _product_is_deployed(life: Life, chance: random.Random) -> None:
    life.deploy(chance.choice(("api", "worker", "admin")))


def _pull_request(life: Life, chance: random.Random) -> None:
    if life.commits and chance.random() < 0.5:
        number = chance.choice(list(life.commits))
        commit = life.commits[number]
        life.close(number)
        action = "closed"
    else:
        number = commit = 1 + max([0, *life.cloud.github.state.repository(world.TEAM).pull_requests])
        life.open(number, commit, image=chance.random() < 0.8)
        action = "opened"
    if chance.random() < 0.7:
        life.tell_of(number, action, commit)


def _backup(life: Life, chance: random.Random) -> None:
    life.back_up(size=chance.choice((BACKUP_BYTES, BACKUP_BYTES, BACKUP_BYTES, 10)))


def _file_of_a_person(life: Life, chance: random.Random) -> None:
    """A person puts a file beside the backups; no more than two may be there."""
    life.cloud.storage.write(world.BUCKET, f"{world.PREFIX}notes-{chance.choice((1, 1, 1, 2))}.txt", 10)


def _edit(life: Life, chance: random.Random) -> None:
    """The owner renames, removes or switches something, a whole section too, or puts everything back."""
    owner = copy.deepcopy(life.deployed.owner)
    if chance.random() < 0.2:
        owner.pop(chance.choice(list(owner)[1:]), None)
        life.deployed.edit(owner)
        return
    if owner.keys() != world.owner().keys():
        owner = world.owner()
    budgets, pools = owner["cap_spending"]["budgets"], owner["scale_gpu_pools"]["pools"]
    match chance.randrange(6):
        case 0 if "monthly" in budgets:
            budgets["everything"] = budgets.pop("monthly")
        case 1:
            budgets.pop(chance.choice(("team", "experiments")), None)
        case 2:
            pools.clear()
        case 3 if "gpu" in pools:
            pools["training"] = pools.pop("gpu")
        case 4:
            owner["manage_previews"]["repositories"][world.TEAM]["service"] = chance.choice(("shop", "my-product"))
        case 5:
            name = chance.choice(list(life.automations))
            owner[name]["mode"] = "observe"
        case _:
            owner = world.owner()
    life.deployed.edit(owner)


def _settings_as_at_first(life: Life, chance: random.Random) -> None:
    del chance
    life.deployed.edit(world.owner())


def _fault(life: Life, chance: random.Random) -> None:
    code = chance.choice((*PASSING, *FINAL))
    runs, times = chance.choice(((1, 1), (2, 2), (3, 50), (30, 50)))
    life.fail(Trouble(chance.choice(METHODS), code, runs, times, after_effect=chance.random() < 0.3))


def _faults_end(life: Life, chance: random.Random) -> None:
    del chance
    life.troubles.clear()


def _death(life: Life, chance: random.Random) -> None:
    life.die(chance.randrange(2, 25), answer_lost=chance.random() < 0.5)


def _slowness(life: Life, chance: random.Random) -> None:
    life.set_delay(chance.choice((0, 0, 60, 600)))


HAPPENINGS: tuple[Happening, ...] = (
    *(_costs, _costs, _costs, _command, _command, _person_sets_a_maximum, _product_is_deployed, _pull_request),
    *(
        _pull_request,
        _backup,
        _backup,
        _backup,
        _file_of_a_person,
        _edit,
        _settings_as_at_first,
        _fault,
        _faults_end,
        _death,
        _slowness,
    ),
)
