#!/usr/bin/env bash
# Removes what earlier runs of the clients have left.
cd "$(dirname "$0")" || exit 1
rm -fv core-api-producer/payload*.log core-api-consumer/payload*.log
echo "Done."
