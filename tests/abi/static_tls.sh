#!/bin/sh
# static_tls.sh LIBRARY: how much of the memory for threads a copy of the library takes that a running program cannot make
# more of. All plugins of a process share what there is, some 1.5 KiB.
set -eu
size=$(readelf -lW "$1" | awk '$1 == "TLS" { print $6 }')
echo "static TLS: ${size:-none}"
test "$((${size:-0}))" -gt 0
test "$((size))" -le 64
