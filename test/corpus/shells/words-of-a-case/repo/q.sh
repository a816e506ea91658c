#!/bin/sh
[ "$1" = "it's" ] && [ "$2" = 'say "hi"' ]
