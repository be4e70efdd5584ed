#!/usr/bin/env bash
# Runs the benchmarks, or those named: packet start idle join files roads faults sfu.
set -euo pipefail
cd "$(dirname "$0")/.."
want=("$@")
[ ${#want[@]} -eq 0 ] && want=(packet start idle join files roads faults sfu)
for name in "${want[@]}"; do
  echo "== $name"
  case $name in
    packet) go test -run '^$' -bench . -benchmem ./internal/turn ./internal/turnserver ./internal/signal ./internal/portserver ;;
    start) go run ./bench/start -binary bin/parley ;;
    idle) go run ./bench/idle ;;
    join) node bench/join/join.mjs ;;
    files) node bench/files/files.mjs ;;
    roads) go test -count=1 -timeout 30m -tags bench -run TestFilesOnRoads -v ./sdk ;;
    faults)
      results=$PWD/bench/results/faults.md
      {
        echo '# A call through every fault, real browsers behind real NATs'
        echo
        echo "$(date -u +%F), $(nproc) cores. Median/95th percentile (count), in milliseconds: the longest stretch without sound, without"
        echo 'picture, without a new picture on the page, and until signalling was back; `make bench RUN=faults`.'
        echo
      } >"$results"
      (cd test && RESULTS=$results FAULT_RUNS=${FAULT_RUNS:-5} node --test --test-reporter=spec netlab/faults.test.mjs)
      (cd test && RESULTS=$results CUTS=${CUTS:-1000} node --test --test-reporter=spec netlab/cuts.test.mjs)
      cat "$results"
      ;;
    sfu) go run ./bench/sfu ;;
    *) echo "no such benchmark: $name (packet start idle join files roads faults sfu)" >&2; exit 2 ;;
  esac
done
