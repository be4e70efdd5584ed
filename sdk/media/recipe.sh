#!/bin/sh
# Makes tone.ogg and pattern.ivf again. Needs ffmpeg with libopus, libvpx and drawtext. See README.md.
set -eu
cd "$(dirname "$0")"
ffmpeg -hide_banner -loglevel error -y -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=2.2" -af volume=0.5 -ac 1 \
	-c:a libopus -b:a 24k -vbr off -application audio -frame_duration 20 \
	-map_metadata -1 -fflags +bitexact -flags:a +bitexact tone.ogg
ffmpeg -hide_banner -loglevel error -y -f lavfi -i "testsrc=size=320x180:rate=15:duration=4" \
	-vf "drawtext=text='%{n}':x=12:y=120:fontsize=40:fontcolor=white:box=1:boxcolor=black:boxborderw=6" \
	-c:v libvpx -b:v 220k -maxrate 300k -bufsize 200k -g 15 -keyint_min 15 -auto-alt-ref 0 -lag-in-frames 0 \
	-error-resilient 1 -deadline good -cpu-used 0 -qmin 4 -qmax 60 -pix_fmt yuv420p \
	-fflags +bitexact -flags:v +bitexact -f ivf pattern.ivf
ls -l tone.ogg pattern.ivf
