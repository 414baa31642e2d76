#!/bin/bash
# Writes zookeeper.properties from the environment.
set -o errexit

gregor container configure --dialect zookeeper
