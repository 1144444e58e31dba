#!/bin/sh
# The program that ci.yaml checks, builds and tests.
case $1 in
  --version) echo "greet @VERSION@" ;;
  '') echo 'usage: greet NAME' >&2; exit 2 ;;
  *) echo "Hello, $1!" ;;
esac
