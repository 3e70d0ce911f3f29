#!/usr/bin/env bash
# Pins what the project needs, with the hash of every file that the package index has for a version, so that the
# pins hold on every platform and Python. Versions stay as they are unless the requirements rule them out;
# --upgrade takes the newest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

compile() {
  .venv/bin/uv pip compile --no-config --universal --python-version 3.11 --generate-hashes --strip-extras --quiet \
    --custom-compile-command "./deploy.sh lock" "$@"
}

parts=({functions,jobs,examples}/*/requirements.in {localcloud,report/service}/requirements.in infra/tools/skeleton/function/requirements.in)
compile "$@" --group deploy --group local --group test --group lint --group lock "${parts[@]}" \
  --output-file requirements.txt
for requirements in "${parts[@]}"; do
  # Each gets the versions that it was developed and tested with.
  compile "$requirements" --constraint requirements.txt --output-file "${requirements%.in}.txt"
done
echo "Pinned: requirements.txt, and that of each function, job and example, of the local cloud, and of the skeleton"
