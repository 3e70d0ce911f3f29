"""What every test stands on."""

import os

import msgspec

from infra.automations import ROOT
from infra.settings import load_caretaker_yaml
from shared.settings import VARIABLE

# A function reads its settings when it is imported, and does not start without them.
os.environ.setdefault(VARIABLE, msgspec.json.encode(load_caretaker_yaml(ROOT / "caretaker.yaml")).decode())
