#!/usr/bin/env bash
# Runs the benchmarks, or those named: packet start idle join files roads sfu.
set -euo pipefail
cd "$(dirname "$0")/.."
want=("$@")
[ ${#want[@]} -eq 0 ] && want=(packet start idle join files roads sfu)
for name in "${want[@]}"; do
  echo "== $name"
  case $name in
    packet) go test -run '^$' -bench . -benchmem ./internal/turn ./internal/turnserver ./internal/signal ./internal/portserver ;;
    start) go run ./bench/start -binary bin/parley ;;
    idle) go run ./bench/idle ;;
    join) node bench/join/join.mjs ;;
    files) node bench/files/files.mjs ;;
    roads) go test -count=1 -timeout 30m -tags bench -run TestFilesOnRoads -v ./sdk ;;
    sfu) go run ./bench/sfu ;;
    *) echo "no such benchmark: $name (packet start idle join files roads sfu)" >&2; exit 2 ;;
  esac
done
