#!/usr/bin/env bash
# A dump of an exported snapshot lacks the rows of a table that is truncated before pg_dump locks it.
#
# PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1), 2026-11-28. A snapshot sees 3 rows. Another session
# truncates the table before `pg_dump --snapshot` begins:
#
#   count in the snapshot before the TRUNCATE   3
#   count in the same snapshot after it         0
#   rows in the dump                            0       pg_dump: exit code 0
#
# TRUNCATE does not respect snapshots (documented under "Caveats" of MVCC), so a snapshot alone does not make a dump of
# one moment: only a lock does. A backup that is compared with counts taken before shows it. This fails if any of it
# changes, the version too.
set -euo pipefail

folder=$(mktemp -d)
chmod 755 "$folder"
trap 'as_server "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
if [ "$(id -u)" = 0 ]; then as_server() { (cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"); }; else as_server() { "$@"; }; fi

mkdir "$folder/packages" && cd "$folder/packages"
apt-get download -qq -o APT::Sandbox::User=root postgresql-15=15.18-0+deb12u1 postgresql-client-15=15.18-0+deb12u1 libpq5=15.18-0+deb12u1
for package in *.deb; do dpkg -x "$package" "$folder/root"; done
bin="$folder/root/usr/lib/postgresql/15/bin"
machine=$(uname -m)
export LD_LIBRARY_PATH="$folder/root/usr/lib/$machine-linux-gnu" PGHOST="$folder/data" PGUSER=postgres PGDATABASE=postgres LC_ALL=C

version=$("$bin/postgres" --version)
echo "$version"
[ "$version" = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" ]

mkdir "$folder/data" && { [ "$(id -u)" != 0 ] || chown nobody "$folder/data"; }
as_server "$bin/initdb" -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale >/dev/null
as_server "$bin/pg_ctl" -D "$folder/data" -w -o "-c listen_addresses= -k $folder/data" -l "$folder/data/log" start >/dev/null
"$bin/psql" -qc "CREATE TABLE orders AS SELECT generate_series(1, 3) AS id"

# One session exports a snapshot and stays open; what it is asked comes by a pipe.
coproc SESSION { "$bin/psql" -qAt; }
ask() { echo "$1" >&"${SESSION[1]}"; read -r answer <&"${SESSION[0]}"; }
echo "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;" >&"${SESSION[1]}"
ask "SELECT pg_export_snapshot();"; snapshot=$answer
in_snapshot() { "$bin/psql" -qAt -c "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '$snapshot'; SELECT count(*) FROM orders"; }

before=$(in_snapshot)
"$bin/psql" -qc "TRUNCATE orders"
after=$(in_snapshot)
dumped=$("$bin/pg_dump" --snapshot="$snapshot" --data-only --inserts | grep -c "INSERT INTO" || true)
echo "before: $before, after: $after, in the dump: $dumped"
[ "$before $after $dumped" = "3 0 0" ]
