#!/bin/sh
# archive.sh judge ARCHIVE: what the static library defines. A service's linker merges that with the service's own: of
# two weak definitions of one name it keeps one for both, hidden or not.
# archive.sh build SOURCE_ROOT OPTION...: the same of one that is built with these options of Meson's, by $CXX.
set -eu

# The nm that reads what the compiler writes for link-time optimisation.
lto_nm() {
  case $($CXX --version) in
    *clang*) command -v "$($CXX -print-prog-name=llvm-nm)" ;;
    *) command -v "gcc-nm-$($CXX -dumpversion | cut -d. -f1)" || command -v gcc-nm ;;
  esac
}

# The mangled name of what belongs to one of these namespaces: itself, its vtable, a thunk of it, a static inside it.
of() {
  printf '_Z(T[VTISWHC]|GV|GR|Th[n0-9]+_|Tv[n0-9]+_[n0-9]+_)*Z*[NPrVKRO]*(%s)' "$1"
}

# Beside our own only what is the same in every program: weak instantiations of std::, placement new and delete of
# <new>, and what compilers make for themselves. With Prometheus, what its headers instantiate.
judge() {
  own="$(of '13event_metrics|[0-9]+event_metrics_boost_')|event_metrics_boost_"
  shared="$(of 'St|S[absiod]|9__gnu_cxx')|_ZnwmPv\$|_ZdlPvS_\$|DW\\.ref\\.|__clang_call_terminate\$"
  defined=$($nm -g --defined-only "$1" | awk 'NF == 3 { print $2, $3 }' | sort -u)
  if printf '%s\n' "$defined" | grep -q '^T _ZN13event_metrics2v022PrometheusEventMetricsC1E'; then
    shared="$shared|$(of 10prometheus)"
  fi
  if wrong=$(printf '%s\n' "$defined" | grep -vE "^. ($own)|^[WV] ($shared)"); then
    printf '%s\n' "$wrong" | c++filt
    echo "defined, and should not be" >&2
    return 1
  fi
  for name in '^T _ZN13event_metrics2v018StatsdEventMetricsC1E' event_metrics_boost_; do
    printf '%s\n' "$defined" | grep -q "$name" || { echo "missing: $name" >&2; return 1; }
  done
}

nm="nm"
if [ "$1" = judge ]; then
  judge "$2"
  exit
fi
root=$2
shift 2
case "$*" in
  *b_lto=true*) nm=$(lto_nm) || { echo "skipped: no nm that reads the objects of $CXX" >&2; exit 77; } ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CXXFLAGS LDFLAGS
meson setup -Ddebug=false -Dtests=disabled -Dexamples=disabled -Ddefault_library=static "$@" "$work/build" "$root"
meson compile -C "$work/build"
judge "$work/build/src/libevent-metrics.a"
