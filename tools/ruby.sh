#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs Ruby with the module that is installed in a prefix: ruby.sh PREFIX ARGUMENTS... With --check
# it says why there is no Ruby to build for, and fails; with nothing to say it is silent.
set -eu
if [ "$1" = --check ]; then
    command -v ruby >/dev/null 2>&1 || { echo "there is no ruby"; exit 1; }
    command -v "${CXX:-c++}" >/dev/null 2>&1 || { echo "there is no C++ compiler"; exit 1; }
    ruby -rrbconfig -e '
        exit if RUBY_VERSION.to_f >= 3.1 && File.exist?(RbConfig::CONFIG["rubyhdrdir"] + "/ruby.h")
        puts "ruby #{RUBY_VERSION} is older than 3.1, or its headers are missing"
        exit 1'
    exit 0
fi
prefix=$1
shift
RUBYLIB=
for file in $(find "$prefix" -name polysock.rb -o -path '*site_ruby*/polysock/core.*'); do
    folder=${file%/polysock*}
    RUBYLIB=$folder:$RUBYLIB
done
export RUBYLIB
exec ruby "$@"
