#!/bin/sh
# Runs test files; their results go to the second serial port, what they print to the first, the console.
cd /opt/cloche || exit 1
export PATH=/opt/cloche/node_modules/.bin:/usr/sbin:/usr/bin
export NODE_COMPILE_CACHE=/tmp/compiled
stty -F /dev/ttyS1 raw # no carriage returns
node --test --test-concurrency=1 --test-reporter=/vm/report.mjs "$@" > /dev/ttyS1 2> /dev/console
