#!/bin/bash
# What wurstmeister/kafka starts with.
exec gregor container run --dialect wurstmeister "$@"
