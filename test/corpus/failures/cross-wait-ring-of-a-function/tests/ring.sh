prev() {
    case $1 in a) echo c;; b) echo a;; c) echo b;; esac
}
ring() {
    me=$1
    before=$(prev "$me")
    lava-wait-all "token-$before" "$before"
    echo "$me has the token"
    lava-send "token-$me"
}
