#!/bin/sh
# includes.sh SOURCE_ROOT LIBRARY FOLDER: headers of a library are included nowhere but in src/FOLDER/. Those in
# /usr/include are found by every target, so the compiler would not complain.
# includes.sh SOURCE_ROOT: every file in src/ lies in a room, and includes of src/ what its own room has and what the
# table of rooms in docs/design.md allows it, by the name of the room.
cd "$1" || exit
if [ $# -eq 3 ]; then
  ! grep -rnE "^ *# *include *[<\"]$2/" include src | grep -v "^src/$3/"
  exit
fi

status=0
for file in src/*; do
  case $file in src/meson.build | src/event-metrics.map) continue ;; esac
  [ -d "$file" ] && continue
  echo "$file lies in no room"
  status=1
done
# shellcheck disable=SC2016  # the dollars are awk's
find src -type f -path 'src/*/*' -exec awk '
  function wrong(what) { print what; failed = 1 }

  FILENAME == "docs/design.md" {  # | `src/ROOM/` | what is in it | `ROOM/`, ... |
    if (split($0, cell, "|") == 5 && sub(/^ `src\//, "", cell[2]) && sub(/\/` $/, "", cell[2]))
      allowed[cell[2]] = cell[4]
    next
  }
  FNR == 1 {
    split(FILENAME, part, "/")
    room = part[2]
    if (!(room in allowed)) wrong(FILENAME " lies in a folder that is no room of docs/design.md")
  }
  /^[ \t]*#[ \t]*include/ {
    path = $0
    sub(/^[^<"]*/, "", path)
    name = substr(path, 2)
    sub(/[>"].*/, "", name)
    if (path ~ /^</ && (getline line < ("src/" name)) < 0) next  # not of src/
    to = name
    sub(/\/.*/, "", to)
    if (to == "event_metrics" || to == room) next
    where = FILENAME ":" FNR " includes \"" name "\""
    if (name !~ /\// || !(to in allowed)) wrong(where ", a name without a room")
    else if (!index(allowed[room], "`" to "/`")) wrong(where ": docs/design.md allows src/" room "/" allowed[room])
  }
  END {
    for (room in allowed)
      if (system("test -d src/" room)) wrong("docs/design.md has a room src/" room "/, which is not there")
    exit failed
  }' docs/design.md {} + || status=1
exit $status
