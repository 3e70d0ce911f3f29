"""A small API: orders in PostgreSQL, on Cloud Run, with the logs, traces and connections that a product needs."""
