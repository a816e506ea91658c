#!/bin/sh
echo A three pass
echo B fail four
echo A five PASS
