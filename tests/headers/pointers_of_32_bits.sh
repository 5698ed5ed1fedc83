#!/bin/sh
# pointers_of_32_bits.sh SOURCE_ROOT: where pointers have 32 bits one error says so, and no other hides it: of every
# header, where the standard library is there for -m32, and of Meson. Skipped where the compiler has no -m32.
set -eu
if ! echo | $CXX -m32 -E -x c++ - >/dev/null 2>&1; then
  echo "$CXX has no -m32" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

one_error() {
  errors=$($CXX -m32 -std=c++20 -I "$1/include" -include "event_metrics/$2" "$3" -x c++ /dev/null 2>&1 >/dev/null | grep 'error:') || :
  printf '%s: %s\n' "$2" "$errors"
  case $errors in
    *error:*error:*) return 1 ;;
    *'config.hpp'*'event-metrics needs a 64-bit target'*) ;;
    *) return 1 ;;
  esac
}
one_error "$1" config.hpp -E
if echo '#include <chrono>' | $CXX -m32 -std=c++20 -fsyntax-only -x c++ - 2>/dev/null; then
  cd "$1/include/event_metrics"
  find . -name '*.hpp' | while read -r header; do one_error "$1" "${header#./}" -fsyntax-only; done
fi

cat >"$work/cross.ini" <<END
[binaries]
cpp = [$(for word in $CXX; do printf "'%s', " "$word"; done)]
ar = 'ar'
[built-in options]
cpp_args = ['-m32']
[properties]
needs_exe_wrapper = true
[host_machine]
system = 'linux'
cpu_family = 'x86'
cpu = 'i686'
endian = 'little'
END
if meson setup --cross-file "$work/cross.ini" "$work/build" "$1" >"$work/log"; then exit 1; fi
grep 'ERROR.*event-metrics needs a 64-bit target' "$work/log" || { cat "$work/log"; exit 1; }
