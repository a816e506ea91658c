#!/bin/sh
[ $# = 1 ] && [ "$(printf %s "$1" | wc -l)" = 1 ]
