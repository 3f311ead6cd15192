#!/bin/sh
# Writes .env beside docker-compose.yml with a password of its own for everything that asks for one. Run it once; a .env
# that is there stays as it is, for the databases know its passwords.
set -eu
umask 077
cd "$(dirname "$0")/../.."
if [ -e .env ]; then
    echo "$PWD/.env is there already: nothing was changed" >&2
    exit 1
fi
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
{
    echo "RETURNFLOW_POSTGRES_PASSWORD=$(password)"
    echo "RETURNFLOW_GRAFANA_PASSWORD=$(password)"
} > .env
echo "$PWD/.env written; it is readable to you alone. Grafana's user is admin."
