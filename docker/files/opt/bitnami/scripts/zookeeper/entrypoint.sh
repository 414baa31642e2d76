#!/bin/bash
# Entry point of bitnami/zookeeper: sets up where the service itself is asked for.
set -o errexit

case "${1-}" in
  */run.sh) /opt/bitnami/scripts/zookeeper/setup.sh ;;
esac
exec "$@"
