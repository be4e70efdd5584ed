#!/usr/bin/env bash
# Installs what the tests need from Debian's packages, when we are root and something is missing.
set -euo pipefail
declare -A need=(
  [chromium]=chromium [firefox-esr]=firefox-esr [nft]=nftables [ip]=iproute2 [ping]=iputils-ping
  [certutil]=libnss3-tools [openssl]=openssl [turnutils_uclient]=coturn [conntrack]=conntrack [fc-list]=fontconfig
)
missing=()
for tool in "${!need[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$tool" >/dev/null || missing+=("${need[$tool]}")
done
# GStreamer has no tool of its own for each of its parts.
/usr/bin/python3 -c 'import gi
for name in ("Gst", "GstWebRTC", "GstSdp"): gi.require_version(name, "1.0")
from gi.repository import Gst
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesrc", "vp8enc", "opusenc", "dtlsenc", "srtpenc")))' 2>/dev/null ||
  missing+=(python3-gi gir1.2-gst-plugins-{base,bad}-1.0 gstreamer1.0-{nice,plugins-base,plugins-good,plugins-bad})
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed, tests that need them will be skipped: ${missing[*]}" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# A package that starts a service must not start it here: the tests use its client tools alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" fonts-dejavu-core >/dev/null
