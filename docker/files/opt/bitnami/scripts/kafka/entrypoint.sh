#!/bin/bash
# Entry point of bitnami/kafka: sets up where the node itself is asked for, then becomes the command.
set -o errexit

case "${1-}" in
  */run.sh) /opt/bitnami/scripts/kafka/setup.sh ;;
esac
exec "$@"
