#!/bin/sh
# Prints a text file as a JSON string, so that curl alone can deploy code: sh ../json.sh index.js
printf '"'
sed -e 's/["\\]/\\&/g' -e "s/$(printf '\t')/\\\\t/g" -e "s/$(printf '\r')/\\\\r/g" -e 's/$/\\n/' "$1" | tr -d '\n'
printf '"'
