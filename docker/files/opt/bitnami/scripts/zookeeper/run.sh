#!/bin/bash
# Becomes the ZooKeeper service that setup.sh has configured.
exec gregor container launch --dialect zookeeper "$@"
