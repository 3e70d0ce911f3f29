"""A hunt: more lives than the checks have time for. `python -m tests.simulation --seeds 100 --first 1000`."""

import argparse
import sys
import time

from tests.simulation.lives import live


def main() -> int:
    """Live them, and print what went wrong, and how much was simulated; 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    began, years, steps, broken = time.monotonic(), 0.0, 0, 0
    for seed in range(options.first, options.first + options.seeds):
        lived = live(seed, steps=options.steps)
        years += lived.years
        steps += options.steps
        if lived.violations:
            broken += 1
            say(f"seed {seed}: {'; '.join(lived.violations)}\n  {' '.join(lived.happened)}")
        if (count := seed + 1 - options.first) % 10 == 0 or count == options.seeds:
            rate = years / (time.monotonic() - began) * 60
            say(f"{count} seeds, {steps} steps, {years:.2f} years, {rate:.1f} years a minute; {broken} broken")
    return 1 if broken else 0


def say(text: str) -> None:
    """Print it at once: a hunt takes hours."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
