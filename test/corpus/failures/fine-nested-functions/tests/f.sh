a() { b "$@"; }
b() { lava-sync nested; }
