#!/bin/bash
# Entry point of zookeeper:3.x: configures where the service itself is asked for.
set -o errexit

if [ "${1-}" = zkServer.sh ]; then
  gregor container configure --dialect zookeeper
fi
exec "$@"
