#!/bin/bash
# Writes the properties file from mounted files and the environment, and formats the log directory.
set -o errexit

gregor container configure --dialect bitnami

# A user's own scripts, once for each volume: a program is run, another *.sh is read into this shell.
scripts=/docker-entrypoint-initdb.d
done_once="${KAFKA_VOLUME_DIR:-/bitnami/kafka}/.user_scripts_initialized"
if compgen -G "$scripts/*.sh" >/dev/null && [ ! -f "$done_once" ]; then
  for script in "$scripts"/*; do
    if [[ "$script" != *.sh ]]; then
      echo "$script is passed over: only *.sh is run" >&2
    elif [ ! -x "$script" ]; then
      # shellcheck source=/dev/null
      . "$script"
    elif ! "$script"; then
      echo "$script failed, so that the node does not start" >&2
      exit 1
    fi
  done
  touch "$done_once"
fi
