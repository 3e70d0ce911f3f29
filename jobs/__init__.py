"""Container jobs: one takes a backup of a database, one proves a backup by restoring it."""
