"""A function that does nothing, against which everything is measured."""
