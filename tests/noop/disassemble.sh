#!/bin/sh
# disassemble.sh OBJECT: all five calls on a NoOpEventMetrics& leave nothing but the return.
set -eu
code=$(objdump --disassemble=noop_calls --no-show-raw-insn "$1" | sed -n 's/^ *[0-9a-f]*:[[:space:]]*//p')
printf '%s\n' "$code"
# endbr64 and bti are the landing pads of hardened builds.
case $(printf '%s\n' "$code" | awk '$1 != "endbr64" && $1 != "bti" { print $1 }') in
  ret | retq) ;;
  *) exit 1 ;;
esac
