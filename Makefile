# SPDX-License-Identifier: Apache-2.0
# The ways in: Meson builds, the scripts in tools/ do the rest.  On Debian 12, as root:
#
#	make            what is missing of Debian's packages, and a release build in build/
#	make demo       a cluster of three hosts on this machine, with traffic
#	make check      everything that CI runs
#	make bench      measures; prints a table and writes build/bench.json
#	make install    the programs and their man pages, below PREFIX (and DESTDIR)

PREFIX ?= /usr/local
MESON = /usr/bin/meson
NINJA = /usr/bin/ninja

.PHONY: all deps test-deps check demo bench install clean

all: build/build.ninja
	$(NINJA) -C build

build/build.ninja: | deps
	$(MESON) setup --buildtype=release --prefix=$(PREFIX) build

deps:
	@tools/install-deps

test-deps:
	@tools/install-deps --tests

check: test-deps
	@tools/check

demo: build/build.ninja
	$(NINJA) -C build programs
	@tools/demo

bench: test-deps all
	@tools/bench

install: all
	$(MESON) install -C build --no-rebuild

clean:
	rm -rf build build-*
