#!/bin/sh
set -e
share-names
# initialize-data
make-data "data of $(lava-self)"
# start-p2p-service
serve-data
lava-sync running
# push-data
commit-data "more of $(lava-self)"
# Peers are queried for what they pushed, so all must have pushed: a round that the seed leaves out.
lava-sync pushed
# The seed prints `for ... then ... fi`: a loop is `do ... done`.
for peer in $(lava-group | cut -f 1); do
    if [ "$peer" != "$(lava-self)" ]; then
        # query-data
        lava-test-case "query-$peer" --shell "fetch-data $peer | grep \"more of $peer\""
    fi
done
lava-sync finished
