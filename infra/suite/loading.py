"""The automations' own code, as the map names it: each `functions/NAME/automation.py` has one ``AUTOMATION``."""

import importlib

from shared.automation import AnyAutomation, Automation, Records
from shared.errors import CaretakerError


class BrokenAutomation(CaretakerError):
    """The code of one automation cannot be used; the others can."""


def load_records(name: str) -> type[Records]:
    """The type of an automation's records, without the rest of its code."""
    found: type[Records] = importlib.import_module(f"functions.{name}.records").Records
    return found


def load_automation(name: str) -> AnyAutomation:
    """An automation by its name. Raises ``BrokenAutomation``, with the reason, for any error in its code."""
    try:
        found = importlib.import_module(f"functions.{name}.automation").AUTOMATION
    except Exception as error:
        raise BrokenAutomation(f"functions/{name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, Automation):
        raise BrokenAutomation(f"functions/{name}/automation.py: AUTOMATION is no Automation")
    return found
