"""The throw-away PostgreSQL that the other tests stand on."""
import signal

import psycopg2
import pytest


def test_databases_are_empty_and_apart(postgres, database):
    other = postgres.create_database()
    with postgres.connect(database) as connection:
        connection.cursor().execute("CREATE TABLE public.here (a int)")
    with postgres.connect(other) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT to_regclass('public.here') IS NULL, current_setting('server_encoding')")
        assert cursor.fetchone() == (True, "UTF8")
    postgres.drop_database(other)


def test_a_server_of_ones_own_survives_a_crash(own_postgres):
    connection = own_postgres.connect()
    connection.cursor().execute("CREATE TABLE public.kept AS SELECT 42 AS a")
    own_postgres.stop(signal.SIGKILL)
    with pytest.raises(psycopg2.OperationalError):
        own_postgres.connect()
    own_postgres.start()
    cursor = own_postgres.connect().cursor()
    cursor.execute("SELECT a FROM public.kept")
    assert cursor.fetchone() == (42,)
