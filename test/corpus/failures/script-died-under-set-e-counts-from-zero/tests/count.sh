failures=0
seen=0
note() {
    echo "seen: $1"
    ((seen++))
}
