#!/bin/bash
lava-sync two-begin
