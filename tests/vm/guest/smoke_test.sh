#!/bin/sh
# run-vm: --no-module
# The module loads and unloads, twice, and leaves nothing behind.
set -e
for round in 1 2; do
    modprobe flashcache
    dmsetup targets | grep '^flashcache'
    rmmod flashcache
    if dmsetup targets | grep '^flashcache'; then
        echo "round $round: the target is still there"
        exit 1
    fi
done
dmesg | grep -i flashcache | tail -n 20
