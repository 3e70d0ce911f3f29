"""Takes a backup of a PostgreSQL database into Cloud Storage."""
