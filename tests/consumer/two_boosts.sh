#!/bin/sh
# two_boosts.sh SOURCE_ROOT ARCHIVE: a service with an Asio of its own, of Boost 1.81, and our static library, linked in
# all the ways that decide whose definitions are kept. Skipped without that Boost, which ./dev test fetches.
set -eu
boost=$1/build/boost-1.81/usr/include
source=$1/tests/consumer/boost
archive=$(realpath "$2")
if ! [ -e "$boost/boost/version.hpp" ]; then
  echo "Boost 1.81 is not in build/boost-1.81" >&2
  if [ "${EVENT_METRICS_OTHER_BOOST:-}" = required ]; then exit 1; fi
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Without optimisation nothing is inlined: each function is there to be taken for another.
for each in asio_work service host; do
  $CXX -std=c++20 -O0 -fPIC -pthread -isystem "$boost" -I "$1/include" -c "$source/$each.cpp" -o "$work/$each.o"
done
# Pulls the library out of its archive where nothing has asked for it yet.
constructor=$(nm -u "$work/service.o" | sed -n 's/.* \(.*StatsdEventMetricsC1.*\)/\1/p')

failed=0
link() {
  name=$1
  shift
  $CXX -pthread "$@" -o "$work/$name"
}
run() {
  printf '%s: ' "$*" | sed "s|$work/||g"
  "$@" || { echo "FAILED: exit status $?" >&2; failed=1; }
}

cd "$work"
link before asio_work.o service.o "$archive"
run ./before
link after -Wl,-u,"$constructor" "$archive" asio_work.o service.o
run ./after
# The linker warns of getaddrinfo() in such a program.
link static -static asio_work.o service.o "$archive" 2>static.log || { cat static.log; exit 1; }
run ./static

link plugin_before.so -shared -Wl,-z,nodelete asio_work.o service.o "$archive"
link plugin_after.so -shared -Wl,-z,nodelete -Wl,-u,"$constructor" "$archive" asio_work.o service.o
link host host.o -ldl
link asio_host -rdynamic host.o asio_work.o -ldl
for host in host asio_host; do
  for plugin in before after; do run ./$host ./plugin_$plugin.so; done
done
exit $failed
