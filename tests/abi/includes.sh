#!/bin/sh
# includes.sh SOURCE_ROOT LIBRARY FOLDER: headers of a library are included nowhere but in src/FOLDER/. Those in
# /usr/include are found by every target, so the compiler would not complain.
cd "$1" || exit
! grep -rnE "^ *# *include *[<\"]$2/" include src | grep -v "^src/$3/"
