export LANG=C
WORK=$(mktemp -d)
