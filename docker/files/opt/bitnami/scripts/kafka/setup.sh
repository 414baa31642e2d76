#!/bin/bash
# Writes the properties file from mounted files and the environment, and formats the log directory.
set -o errexit

gregor container configure --dialect bitnami
