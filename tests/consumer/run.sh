#!/bin/sh
# run.sh subproject|installed|prometheus SOURCE_ROOT: builds consumer.cpp, lean.cpp and plugin.cpp against the library and
# runs them. As a subproject of a small Meson project that builds in another way, or with what pkg-config says about
# installed copies, a static one and a shared one; without prometheus-cpp, or prometheus_consumer.cpp with it.
set -eu
here=$2/tests/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CXXFLAGS LDFLAGS
consumer=consumer prometheus=disabled packages=event-metrics
if [ "$1" = prometheus ]; then
  consumer=prometheus_consumer prometheus=enabled packages='event-metrics prometheus-cpp-core'
else
  # As where it is not installed: who includes it is stopped.
  mkdir -p "$work/absent/prometheus"
  echo '#error "prometheus-cpp is not installed"' >"$work/absent/prometheus/registry.h"
  export CPLUS_INCLUDE_PATH="$work/absent"
fi

# What holds the library, and only that, stays in memory when it is closed.
nodelete() {
  readelf -d "$1" | grep 'FLAGS_1.*NODELETE'
}

if [ "$1" = subproject ]; then
  mkdir "$work/subprojects"
  ln -s "$2" "$work/subprojects/event-metrics"
  cp "$here/meson.build" "$here/consumer.cpp" "$here/lean.cpp" "$here/plugin.cpp" "$work"
  meson setup -Doptimization=0 -Ddebug=false --wrap-mode=nofallback --force-fallback-for=event-metrics \
    -Dunity=on -Dunity_size=100 -Dcpp_eh=none -Dcpp_rtti=false "$work/build" "$work"
  meson compile -C "$work/build"
  # Neither our tests nor our examples become the consumer's, and nothing has to be found when it runs.
  test "$(meson introspect --tests "$work/build" | grep -o '"suite"' | wc -l)" = 2
  test -z "$(find "$work/build" -name 'lib*.so*')"
  meson test -C "$work/build" --no-rebuild
  nodelete "$work/build/plugin.so"
  # As long as each of our files is compiled by itself this builds nothing anew.
  meson configure -Dunity=subprojects "$work/build"
  meson compile -C "$work/build"
  if grep -o 'subprojects/[^ ]*unity[^ ]*' "$work/build/build.ninja"; then exit 1; fi
  if objdump -p "$work/build/consumer" | grep 'NEEDED.*prometheus'; then exit 1; fi
  exit
fi

meson setup --prefix="$work/prefix" --libdir=lib -Doptimization=0 -Ddebug=false -Dtests=disabled -Dexamples=disabled \
  -Dprometheus=$prometheus "$work/build" "$2"
export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" LD_LIBRARY_PATH="$work/prefix/lib"
for library in static shared; do
  rm -rf "$work/prefix"
  meson configure -Ddefault_library=$library "$work/build"
  meson install -C "$work/build"
  cat "$PKG_CONFIG_PATH/event-metrics.pc"
  if grep -i boost "$PKG_CONFIG_PATH/event-metrics.pc"; then exit 1; fi
  option=
  if [ $library = static ]; then
    option=--static
    "$2/tests/abi/archive.sh" judge "$work/prefix/lib/libevent-metrics.a"
  fi
  # shellcheck disable=SC2046,SC2086
  build() {
    source=$1
    shift
    $CXX -std=c++20 -Wall -Wextra -Wconversion -Werror "$here/$source.cpp" "$@" \
      $(pkg-config $option --cflags --libs $packages)
  }
  build $consumer -o "$work/consumer"
  "$work/consumer"
  if [ $prometheus = disabled ]; then
    build lean -fno-exceptions -fno-rtti -o "$work/lean"
    "$work/lean"
    build plugin -shared -fPIC -o "$work/plugin.so"
    if [ $library = static ]; then
      nodelete "$work/plugin.so"
      build consumer -static -o "$work/static" 2>"$work/warnings" || { cat "$work/warnings"; exit 1; }
      "$work/static"
    elif nodelete "$work/plugin.so"; then
      exit 1
    fi
  fi
  if [ $prometheus = disabled ] && ldd "$work/consumer" | grep prometheus; then exit 1; fi
  needs=$(objdump -p "$work/consumer" | grep -c 'NEEDED *libevent-metrics') || :
  test "$needs" = "$(test $library = shared && echo 1 || echo 0)"
done
