#!/bin/sh
[ $# -eq 3 ]
