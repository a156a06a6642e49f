#!/bin/sh
# Runs once, when the data folder is empty: a user that is no superuser, a role for
# statements of one workspace, and a database for each plane.
set -eu
password=$(cat /run/secrets/postgres_linkflow_password)
psql --set ON_ERROR_STOP=1 --set password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE linkflow LOGIN PASSWORD :'password';
CREATE ROLE linkflow_tenant NOLOGIN;
GRANT linkflow_tenant TO linkflow;
CREATE DATABASE linkflow_control OWNER linkflow;
CREATE DATABASE linkflow_engine OWNER linkflow;
REVOKE CONNECT ON DATABASE linkflow_control, linkflow_engine FROM PUBLIC;
SQL
