#!/bin/bash
# Becomes the node that setup.sh has configured.
exec gregor container launch --dialect bitnami "$@"
