#!/usr/bin/env bash
# The one entry point of Caretaker: ./deploy.sh --help
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
supported="3.14 3.13 3.12 3.11"
unset PYTHONHOME PYTHONPATH

fail() {
  printf 'deploy.sh: %s\n' "$@" >&2
  exit 1
}

# Prints the version that pyproject.toml gives.
version() {
  local line
  while IFS= read -r line; do
    case $line in
      'version = "'*)
        line=${line#version = \"}
        echo "caretaker ${line%\"*}"
        return
        ;;
    esac
  done <"$root/pyproject.toml"
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

# Prints each Python that was found, of any version, as "python3 is 3.9.2".
seen_pythons() {
  local candidate
  for candidate in python3 python python3.{8..30} "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/*/bin/python; do
    "$candidate" -I -c 'import sys; print(sys.argv[1], "is", "%d.%d.%d" % sys.version_info[:3])' "$candidate" \
      2>/dev/null || true
  done
}

# Prints the path of the newest supported Python.
find_newest_python() {
  local each seen
  for each in $supported; do
    find_python "$each" && return
  done
  if python3 -I -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv[1].split())' "$supported" \
    2>/dev/null; then
    fail "$(command -v python3) has no venv module." "On Debian and Ubuntu, install the package python3-venv."
  fi
  seen=$(seen_pythons)
  fail "Caretaker needs Python 3.11, 3.12, 3.13 or 3.14." \
    "Found on the PATH and in pyenv's folder: ${seen:-no Python 3}" "Install one of them, then run this again."
}

prepare() {
  local python
  python=$(find_newest_python)
  "$python" -I "$root/infra/tools/environment.py" "$root/.venv" "$root/requirements.txt"
}

# Runs a module of the project from the person's current folder, so that file names among the options stay valid.
run_module() {
  prepare >&2 # what `local env` prints is evaluated
  PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m "$@"
}

run_checks() {
  local each pythons=()
  prepare
  for each in $supported; do
    pythons+=("$each=$(find_python "$each" || true)")
  done
  cd "$root"
  exec .venv/bin/python -m infra.tools.checks "${pythons[@]}"
}

# Help is printed from these files, at once and without an installation. `infra/tools/help.py` writes them.
has_help() {
  [ -f "$root/infra/tools/help/$1.txt" ]
}

# Whether the arguments of a command ask for its help; "send AUTOMATION --help" is answered by Python.
wants_help() {
  local argument
  for argument; do
    case $argument in
      -h | --help) return 0 ;;
    esac
    [ "$command" != send ] || return 1
  done
  return 1
}

show_help() {
  cat "$root/infra/tools/help/$1.txt"
  exit
}

command=${1:-}
[ $# -eq 0 ] || shift
if has_help "$command" && wants_help "$@"; then
  show_help "$command"
fi
case $command in
  local)
    export MALLOC_ARENA_MAX=1 # many threads share little: less memory, https://man7.org/linux/man-pages/man3/mallopt.3.html
    run_module local "$@"
    ;;
  test)
    [ $# -eq 0 ] || fail "test takes no argument: $*"
    run_checks
    ;;
  bench) run_module benchmarks "$@" ;;
  bundle) run_module infra.deploy.bundle "$@" ;;
  new) run_module infra.tools.new "$@" ;;
  generate) run_module infra.tools.generate "$@" ;;
  init) run_module infra.deploy.init "$@" ;;
  simulate) run_module simulate "$@" ;;
  report) run_module report "$@" ;;
  console) run_module report.console "$@" ;;
  check) run_module infra.deploy.check "$@" ;;
  doctor | plan | apply | status | send | destroy) run_module infra.deploy "$command" "$@" ;;
  lock)
    prepare
    exec "$root/infra/tools/lock.sh" "$@"
    ;;
  version | --version | -V) version ;;
  help | -h | --help) show_help all ;;
  '')
    cat "$root/infra/tools/help/all.txt" >&2
    exit 2
    ;;
  -*) fail "the command comes first: ./deploy.sh COMMAND $command $*" "./deploy.sh --help lists the commands." ;;
  *) fail "unknown command '$command'" "./deploy.sh --help lists the commands." ;;
esac
