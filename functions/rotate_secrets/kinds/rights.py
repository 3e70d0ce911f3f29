"""Compare two database users' rights: users that take turns need the same."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

MOST_NAMED = 5

LACKING = """
WITH these AS (SELECT %(has)s::name AS has, %(lacks)s::name AS lacks),
namespaces AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
),
relations AS (
  SELECT c.oid, c.relkind, c.relowner FROM pg_class c JOIN namespaces n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
),
routines AS (
  SELECT p.oid, p.proowner FROM pg_proc p JOIN namespaces n ON n.oid = p.pronamespace
)
-- attributes of the role, and its settings
SELECT 'the attribute ' || attribute AS lacking
FROM these, pg_roles h, pg_roles l, LATERAL (VALUES
  ('SUPERUSER', h.rolsuper AND NOT l.rolsuper), ('CREATEDB', h.rolcreatedb AND NOT l.rolcreatedb),
  ('CREATEROLE', h.rolcreaterole AND NOT l.rolcreaterole), ('INHERIT', h.rolinherit AND NOT l.rolinherit),
  ('REPLICATION', h.rolreplication AND NOT l.rolreplication), ('BYPASSRLS', h.rolbypassrls AND NOT l.rolbypassrls)
) AS attributes (attribute, is_lacking)
WHERE h.rolname = has AND l.rolname = lacks AND is_lacking
UNION ALL
SELECT 'the setting ' || split_part(setting, '=', 1) FROM these,
  LATERAL (SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
    WHERE r.rolname = has AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    EXCEPT SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
    WHERE r.rolname = lacks AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  ) AS settings (setting)
-- what only an owner may do: dropping, altering
UNION ALL
SELECT 'the rights of the owner of ' || r.oid::regclass FROM these, relations r
WHERE pg_has_role(has, r.relowner, 'USAGE') AND NOT pg_has_role(lacks, r.relowner, 'USAGE')
-- what it may do in this database
UNION ALL
SELECT privilege || ' on database ' || current_database()
FROM these, unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) AS privilege
WHERE has_database_privilege(has, current_database(), privilege)
  AND NOT has_database_privilege(lacks, current_database(), privilege)
UNION ALL
SELECT privilege || ' on schema ' || quote_ident(nspname)
FROM these, namespaces n, unnest(ARRAY['USAGE', 'CREATE']) AS privilege
WHERE has_schema_privilege(has, n.oid, privilege) AND NOT has_schema_privilege(lacks, n.oid, privilege)
UNION ALL
SELECT privilege || ' on ' || r.oid::regclass
FROM these, relations r, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
  AS privilege
WHERE r.relkind <> 'S'
  AND has_table_privilege(has, r.oid, privilege) AND NOT has_table_privilege(lacks, r.oid, privilege)
UNION ALL
SELECT privilege || ' on column ' || quote_ident(a.attname) || ' of ' || r.oid::regclass
FROM these, relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped,
  unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS privilege
WHERE has_column_privilege(has, r.oid, a.attnum, privilege)
  AND NOT has_column_privilege(lacks, r.oid, a.attnum, privilege)
  AND NOT has_table_privilege(has, r.oid, privilege)
UNION ALL
SELECT privilege || ' on sequence ' || r.oid::regclass
FROM these, relations r, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) AS privilege
WHERE r.relkind = 'S'
  AND has_sequence_privilege(has, r.oid, privilege) AND NOT has_sequence_privilege(lacks, r.oid, privilege)
UNION ALL
SELECT 'EXECUTE on ' || f.oid::regprocedure
FROM these, routines f
WHERE has_function_privilege(has, f.oid, 'EXECUTE') AND NOT has_function_privilege(lacks, f.oid, 'EXECUTE')
-- rows that policies show
UNION ALL
SELECT 'the rows of the policy ' || quote_ident(p.polname) || ' on ' || p.polrelid::regclass FROM these, pg_policy p
WHERE NOT 0 = ANY (p.polroles)
  AND EXISTS (SELECT FROM unnest(p.polroles) AS role WHERE pg_has_role(has, role, 'USAGE'))
  AND NOT EXISTS (SELECT FROM unnest(p.polroles) AS role WHERE pg_has_role(lacks, role, 'USAGE'))
"""


def lacking_rights(connection: "Connection", *, has: str, lacks: str) -> str:
    """The rights that one user has in the connected database and the other lacks, in words; "" if there are none.

    Any user may ask. At most ``MOST_NAMED`` are named; settings without their values, which may be secret. Raises
    ``psycopg.Error``.
    """
    rows = [str(row[0]) for row in connection.execute(LACKING, {"has": has, "lacks": lacks}).fetchall()]
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return ", ".join(rows[:MOST_NAMED]) + more
