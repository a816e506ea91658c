#!/bin/sh
echo writing
sleep 30
