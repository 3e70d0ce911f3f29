"""`./deploy.sh init`: the owner's settings, written from what a project contains, or copied from the examples.

`reading` looks at the project, `caretaker_yaml` and `deployment_yaml` word what it found, `files` writes it.
"""
