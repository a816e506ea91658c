#!/bin/sh
lava-wait dut-ready
