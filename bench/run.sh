#!/usr/bin/env bash
# Runs the benchmarks, or those named: packet start idle join files roads faults sfu latency.
set -euo pipefail
cd "$(dirname "$0")/.."
want=("$@")
[ ${#want[@]} -eq 0 ] && want=(packet start idle join files roads faults sfu latency)
# hub builds the hub alone, as bench/sfu measures it.
hub() {
  [ -z "${ours:-}" ] || return 0
  ours=$(mktemp -d)
  trap 'rm -r "$ours"' EXIT
  go build -o "$ours/ours" ./bench/sfu/ours
}
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
    sfu)
      hub
      go run ./bench/sfu -server "ours=$ours/ours" -server "two-loops=$ours/ours -loops 2"
      ;;
    latency)
      results=$PWD/bench/results/latency.md
      hub
      {
        echo '# How much later packets come through the hub than directly'
        echo
        echo "$(date -u +%F), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg). One publisher and one receiver (pion, loopback; 170 packets of pictures in"
        echo 'bursts and 50 of sound a second), through the hub, through the smallest fan-out on pion, and directly, in turns;'
        echo '`make bench RUN=latency`. From the call that sends in one program to the one that has read in the same program.'
        echo
        go run ./bench/sfu -only one,direct -rounds "${ROUNDS:-8}" -for 4s -server "ours=$ours/ours" | tee /dev/stderr | sed -n '/^| /p;/^|-/p;/^$/p'
      } >"$results"
      ;;
    *) echo "no such benchmark: $name (packet start idle join files roads faults sfu latency)" >&2; exit 2 ;;
  esac
done
