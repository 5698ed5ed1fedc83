#!/bin/sh
# listed.sh FOLDER SUFFIX NAME...: fails when a file with this suffix below FOLDER is none of the names.
cd "$(dirname "$0")/$1" || exit
suffix=$2
shift 2
for file in $(find . -name "*$suffix" | sed "s|^\./||; s|$suffix\$||"); do
  for name; do
    if [ "$file" = "${name%"$suffix"}" ]; then continue 2; fi
  done
  echo "$PWD/$file$suffix is not in the list of meson.build" >&2
  exit 1
done
