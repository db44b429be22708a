# SPDX-License-Identifier: BSD-3-Clause
# The front door: every target here only calls the part that knows how. Output goes to build/ (O=DIR for elsewhere),
# V=1 shows the commands.

O ?= build
override O := $(abspath $(O))
export O
export ACRN_BUILD := $(O)
ifneq ($(V),)
export V
endif
DEV := scripts/dev
SUB = $(MAKE) --no-print-directory $(if $(V),,-s)

.PHONY: all help setup hypervisor efi acrn-dm hsm unit fuzz check check-intel check-iommu check-firmware check-e2e \
	check-packages deb bench bench-intel demo clean
all: hypervisor efi acrn-dm hsm

help:
	@echo 'make            all products under build/: acrn.elf, acrn.efi, acrn-dm, acrn_hsm.ko'
	@echo 'make setup      installs and fetches what is needed (as root the first time)'
	@echo 'make demo       boots the whole stack in QEMU to the shell of a User VM'
	@echo 'make unit       unit tests on the host: seconds'
	@echo 'make fuzz       every fuzzer for SECONDS=30'
	@echo 'make check      everything that has to pass; transcripts under build/logs/'
	@echo '                ONLY="style boot" or BOOT="a_boot another" run a part of it'
	@echo 'make check-intel what runs in Bochs, all of it; BOCHS_MODEL=haswell, skylake, ryzen'
	@echo 'make check-iommu what devices may, on every IOMMU'
	@echo 'make check-firmware  systems as they come, with four CPUs (make check: two); slow'
	@echo 'make check-e2e  what a user does with the packages, on an installed Debian: long; as root'
	@echo '                E2E="user" or "faults" runs a part of it'
	@echo 'make check-packages piuparts and autopkgtest on the Debian packages; as root'
	@echo 'make deb        Debian packages, under build/deb/'
	@echo 'make bench      instructions per exit, ours and the peer; writes build/bench.tsv'
	@echo 'make bench-intel the same in Bochs; writes build/bench-intel.tsv; BOCHS_MODEL as above'
	@echo 'make clean      removes build/'
	@echo 'V=1 shows commands; each of hypervisor efi acrn-dm hsm is a target too'

setup:
	@$(DEV)/setup

hypervisor:
	@$(SUB) -C hypervisor

efi: hypervisor
	@$(SUB) -C efi

acrn-dm:
	@$(SUB) -C acrn-dm

hsm:
	@$(SUB) -C dkms/acrn-hsm

unit:
	@$(SUB) -C tests/unit run

SECONDS ?= 30
fuzz:
	@$(SUB) -C tests/unit fuzz SECONDS=$(SECONDS)

check: setup
	@$(DEV)/run-checks $(ONLY)

check-intel: setup
	@$(DEV)/run-checks build intel

deb:
	@$(DEV)/mkdeb

check-firmware: setup
	@$(DEV)/run-checks build firmware

check-iommu: setup
	@$(DEV)/run-checks build iommu

check-packages: setup
	@$(DEV)/check-packages

check-e2e: setup
	@$(DEV)/check-e2e $(E2E)

bench: setup
	@$(SUB) all
	@tests/bench/run

bench-intel: setup
	@$(SUB) all
	@tests/bench/run-bochs

demo: setup
	@echo '=== building'
	@$(SUB) all
	@$(DEV)/demo

clean:
	rm -rf $(O)
