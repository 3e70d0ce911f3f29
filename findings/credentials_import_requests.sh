#!/usr/bin/env bash
# Credentials on Google Cloud import requests, asyncio and cryptography, whichever HTTP library sends the requests.
#
# google-auth 2.62.2, requests 2.34.2, urllib3 2.8.0, cryptography 50.0.2, 2026-11-28. `google.auth.default()` imports
# google.auth.compute_engine where there is a metadata server, as on Cloud Run. That module asks for a token by urllib3
# too (google.auth.transport.urllib3), and signs nothing. It imports all the same
#
#   requests          at the top of compute_engine/_metadata.py and _mtls.py
#   asyncio           at the top of _exponential_backoff.py
#   cryptography      by iam.py, which signs bytes by a call
#
# some 200 modules, and 60 to 100 ms of CPU in each cold start. This fails if any of them is not imported any more.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  google-auth==2.62.2 requests==2.34.2 urllib3==2.8.0 cryptography==50.0.2
"$folder/venv/bin/python" -c 'import google.auth.compute_engine' # compiles them
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import google.auth
import urllib3

before, begun = set(sys.modules), time.process_time()
import google.auth.compute_engine

spent, imported = time.process_time() - begun, set(sys.modules) - before
print(f"google-auth {google.auth.__version__}, urllib3 {urllib3.__version__}, Python {sys.version.split()[0]}")
print(f"google.auth.compute_engine: {len(imported)} modules, {spent * 1000:.0f} ms of CPU")
missing = {"requests", "asyncio", "cryptography"} - imported
print("not imported:", sorted(missing) or "none of the three is left out")
sys.exit(bool(missing))
PYTHON
