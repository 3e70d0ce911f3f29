#!/usr/bin/env bash
# Everything a person does with Caretaker starts here: ./deploy.sh --help
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
supported="3.13 3.12 3.11"
unset PYTHONHOME PYTHONPATH

usage() {
  cat <<'HELP'
Caretaker looks after a Google Cloud project for a small team.

On this machine
  ./deploy.sh local [OPTIONS]    the suite at work on a local cloud (local --help lists the options)
  ./deploy.sh test               every check of the project
  ./deploy.sh bench [NAME]       what it costs in time and memory, beside its peers
  ./deploy.sh lock [--upgrade]   pin the packages that the requirements ask for
  ./deploy.sh generate [--check] write anew whatever is generated: the schema, tables of the docs, locks
  ./deploy.sh bundle [FUNCTION]  make the zips that are deployed

In your project, by deployment.yaml and caretaker.yaml (docs/deploy.md)
  ./deploy.sh doctor             what is missing, and the command that fixes it
  ./deploy.sh plan               what would change; changes nothing
  ./deploy.sh apply              shows it, asks, does it, then asks each automation for its status
  ./deploy.sh status             what is in force, what is held, the latest reports
  ./deploy.sh send AUTOMATION COMMAND   such as: send cap_spending snooze --until 18:00
  ./deploy.sh destroy            shows what would go, asks, and takes all of it away

Each of these six takes --local, for the suite that ./deploy.sh local has started.

You need bash and Python 3.11, 3.12 or 3.13; to deploy, gcloud and Terraform too. The first run installs
packages into .venv in this folder; nothing outside it is changed.
HELP
}

fail() {
  printf 'deploy.sh: %s\n' "$@" >&2
  exit 1
}

# Prints the path of a Python of version $1 that can make environments. Every candidate is run to find out: a version
# manager may leave a stand-in on the PATH for a version that is not active.
find_python() {
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$1".*/bin/python python3; do
    "$candidate" -I -c '
import ensurepip, os, sys
if "%d.%d" % sys.version_info[:2] != sys.argv[1]:
    sys.exit(1)
print(os.path.realpath(sys.executable))
' "$1" 2>/dev/null && return
  done
  return 1
}

# Prints the path of the newest Python there is.
find_newest_python() {
  local version
  for version in $supported; do
    find_python "$version" && return
  done
  if python3 -I -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    fail "$(command -v python3) has no venv module." "On Debian and Ubuntu it is in a package of its own: python3-venv."
  fi
  fail "no Python 3.11, 3.12 or 3.13 found, neither on the PATH nor in pyenv's folder." "Install one, then run this again."
}

prepare() {
  local python
  python=$(find_newest_python)
  "$python" -I "$root/infra/tools/environment.py" "$root/.venv" "$root/requirements.txt"
}

# Runs a module of the project from wherever the person stands, so that file names among the options mean what they say.
run_module() {
  prepare
  PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m "$@"
}

run_checks() {
  local version pythons=()
  prepare
  for version in $supported; do
    pythons+=("$version=$(find_python "$version" || true)")
  done
  cd "$root"
  exec .venv/bin/python -m infra.tools.checks "${pythons[@]}"
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  local) run_module local "$@" ;;
  test) run_checks ;;
  bench) run_module benchmarks "$@" ;;
  bundle) run_module infra.deploy.bundle "$@" ;;
  generate) run_module infra.tools.generate "$@" ;;
  doctor | plan | apply | status | send | destroy) run_module infra.deploy "$command" "$@" ;;
  lock)
    prepare
    exec "$root/infra/tools/lock.sh" "$@"
    ;;
  help | -h | --help) usage ;;
  '')
    usage >&2
    exit 2
    ;;
  *) fail "there is no command '$command'." "./deploy.sh --help lists those there are." ;;
esac
