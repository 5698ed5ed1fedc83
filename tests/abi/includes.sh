#!/bin/sh
# boost_includes.sh SOURCE_ROOT: Boost is included nowhere but in src/transport/. Headers in /usr/include are found by
# every target, so the compiler would not complain.
cd "$1" || exit
! grep -rnE '^ *# *include *[<"]boost/' include src | grep -v '^src/transport/'
