"""The plan's estimate, recalculated: a month before and after, from list prices with their date.

`./deploy.sh status --costs` prints it, and ``python -m infra.costs``.
"""
