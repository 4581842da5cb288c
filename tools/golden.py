#!/usr/bin/env python3
"""Writes the reference part of docs/golden.md from a database: every view and column of schema golden.

    golden.py CONNINFO < docs/golden.md > new

Keeps what stands before the heading; the database must be that of a daemon without fields of its own.
"""
import sys

HEADING = "## Every view and column"
COLUMNS = """
SELECT c.relname, obj_description(c.oid), a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'golden'::regnamespace AND c.relkind = 'v'
ORDER BY c.relname, a.attnum
"""
SHORT = {"timestamp with time zone": "timestamptz"}


def reference(connection):
    """The reference as Markdown lines."""
    cursor = connection.cursor()
    cursor.execute(COLUMNS)
    lines, last = [HEADING, "", "Written by `make docs` from the comments in the database; a test keeps it current."], None
    customer = set()
    for view, about, column, kind, comment in cursor.fetchall():
        if view == "customer_masked":
            if view != last:
                lines += ["", f"### golden.{view}", "", about.split(" [definition")[0],
                          "Its columns are among those of `golden.customer`."]
            assert column in customer, f"golden.customer_masked has {column}, golden.customer has not"
            last = view
            continue
        if view != last:
            lines += ["", f"### golden.{view}", "", (about or "").split(" [definition")[0], "", "| column | type | what it is |",
                      "|---|---|---|"]
        last = view
        if view == "customer":
            customer.add(column)
        lines.append(f"| `{column}` | {SHORT.get(kind, kind)} | {(comment or '').replace('|', chr(92) + '|')} |")
    return lines


def document(text, connection):
    return text.split(HEADING)[0] + "\n".join(reference(connection)) + "\n"


if __name__ == "__main__":
    import psycopg2
    sys.stdout.write(document(sys.stdin.read(), psycopg2.connect(sys.argv[1])))
