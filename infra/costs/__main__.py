"""Prints the cost estimate: ``python -m infra.costs [--settings FILE] [--product FILE] [--prices FILE]``."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.costs.estimate import PRICES, PRODUCT
from infra.costs.lines import cost_lines
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from shared.errors import SettingsError


def main() -> int:
    """Print the table: 0, or 2 if its settings or prices are invalid."""
    parser = argparse.ArgumentParser(prog="python -m infra.costs", description="A month's cost, before and after.")
    parser.add_argument("--settings", type=Path, default=EXAMPLES / "caretaker.yaml", help="for its GPU pools")
    parser.add_argument("--product", type=Path, default=PRODUCT, help="what the product uses, before and after")
    parser.add_argument("--prices", type=Path, default=PRICES, help="list prices, with their date")
    options = parser.parse_args()
    try:
        owner = load_caretaker_yaml(options.settings)
        for line in cost_lines(owner, datetime.now(UTC), product=options.product, prices=options.prices):
            print(line)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
