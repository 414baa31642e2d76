#!/usr/bin/env bash
# Moves the payload logs of both clients into producer.log and consumer.log beside this script, sorted by
# partition and key, so that `diff` shows what was lost (<) and what came again (>).
set -u
cd "$(dirname "$0")" || exit 1
if [ -e producer.log ] || [ -e consumer.log ]; then
  echo "Existing logs will be overwritten. Do you want to continue?"
  select answer in Yes No; do
    [ "$answer" = Yes ] && break
    exit 0
  done
fi
for client in producer consumer; do
  files=(core-api-"$client"/payload*.log)
  [ -e "${files[0]}" ] || { echo "No payload log of the $client." >&2; exit 1; }
  LC_ALL=C sort -t, -k2,2n -k3,3n -k4 "${files[@]}" >"$client.log"
  rm -v "${files[@]}"
done
