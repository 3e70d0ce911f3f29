"""The report on Cloud Run, behind Identity-Aware Proxy: it shows the page, and can change nothing."""
