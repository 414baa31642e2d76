#!/bin/bash
# What wurstmeister/zookeeper starts with.
exec gregor container run --dialect zookeeper
