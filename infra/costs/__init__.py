"""What the plan promised, reckoned: a month before and after, from list prices with their date.

``cost_lines`` is what `./deploy.sh status` prints; ``python -m infra.costs`` prints the same.
"""

from infra.costs.lines import cost_lines

__all__ = ["cost_lines"]
