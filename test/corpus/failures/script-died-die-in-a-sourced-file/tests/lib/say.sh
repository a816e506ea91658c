die() {
  echo "FATAL: $1" >&2
  exit "${2:-6}"
}
