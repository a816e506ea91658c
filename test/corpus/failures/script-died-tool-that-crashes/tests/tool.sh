#!/bin/bash
echo probing
kill -SEGV $$
