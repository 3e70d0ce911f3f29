#!/usr/bin/env bash
# A restore into a database of another locale succeeds, with other data.
#
# PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1, libicu72), 2026-11-28. A table has a stored generated column
# lower(name). It is dumped from a database of ICU's en-US, and restored into one of locale C:
#
#   source    ÄRGER  ärger
#   restored  ÄRGER  Ärger       pg_restore --exit-on-error: exit code 0; the rows are as many as before
#
# A dump has no values of generated columns: they are computed again, by the locale of the new database. So a restore
# drill that only counts rows proves nothing about them. This fails if any of it changes, the version too.
set -euo pipefail

folder=$(mktemp -d)
chmod 755 "$folder"
trap 'as_server "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
if [ "$(id -u)" = 0 ]; then as_server() { (cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"); }; else as_server() { "$@"; }; fi

mkdir "$folder/packages" && cd "$folder/packages"
apt-get download -qq -o APT::Sandbox::User=root postgresql-15=15.18-0+deb12u1 postgresql-client-15=15.18-0+deb12u1 libpq5=15.18-0+deb12u1 libicu72=72.1-3+deb12u1
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

"$bin/psql" -qc "CREATE DATABASE source TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'"
"$bin/psql" -qc "CREATE DATABASE restored TEMPLATE template0"
PGCLIENTENCODING=UTF8 "$bin/psql" -q source <<'SQL'
CREATE TABLE tags (name text, low text GENERATED ALWAYS AS (lower(name)) STORED);
INSERT INTO tags VALUES ('ÄRGER');
SQL
"$bin/pg_dump" --format=custom source | "$bin/pg_restore" --dbname=restored --exit-on-error
source=$("$bin/psql" -At source -c "SELECT * FROM tags") restored=$("$bin/psql" -At restored -c "SELECT * FROM tags")
echo "source: $source, restored: $restored"
[ "$source" = "ÄRGER|ärger" ] && [ "$restored" = "ÄRGER|Ärger" ]
