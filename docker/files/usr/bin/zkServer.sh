#!/bin/bash
# ZooKeeper's own start script, as far as the service has it.
case "${1-}" in
  start-foreground) exec gregor container launch --dialect zookeeper ;;
  status) exec gregor container health ;;
  *) echo "Usage: zkServer.sh {start-foreground|status}" >&2; exit 1 ;;
esac
