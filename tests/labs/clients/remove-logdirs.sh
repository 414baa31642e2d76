#!/usr/bin/env bash
# Removes the data of ZooKeeper and the brokers; to be run in the folder of their properties.
echo "Removing all data below $PWD. Nothing may be running. Continue?"
select answer in Yes No; do
  [ "$answer" = Yes ] && break
  exit 0
done
rm -rf ./broker? ./zookeeper
echo "Done."
