# SPDX-License-Identifier: GPL-2.0-only
# mmlens: the kernel module, the reader, and what tries them.
# "make help" lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build

# The one place where the version stands is the file VERSION; Kbuild,
# dkms.conf and userspace/ read it as well.
export MMLENS_VERSION := $(shell cat VERSION)

all: modules userspace

# The oldest kernel that the sources are for.
KERNEL_MIN := 5.10

modules: kernel-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install: kernel-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

userspace:
	$(MAKE) -C userspace

tests:
	$(MAKE) -C tests

install:
	$(MAKE) -C userspace install

check demo bench:
	scripts/$@

clean:
	find module . -maxdepth 1 \( -name '*.o' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.o.d' \
		-o -name '*.ko' -o -name modules.order \
		-o -name Module.symvers -o -name .module-common.o \) -delete
	$(MAKE) -C userspace clean
	$(MAKE) -C tests clean

# Say what is missing, before the kernel's build system says something else.
kernel-headers:
	@if [ ! -e "$(KDIR)/Makefile" ]; then \
		echo "mmlens: no kernel headers in $(KDIR):" >&2; \
		echo "install linux-headers-$$(uname -r), or set" \
			"KDIR=/lib/modules/RELEASE/build" >&2; \
		exit 1; \
	fi
	@release=$$(cat "$(KDIR)/include/config/kernel.release") && \
	if [ "$$(printf '%s\n' $(KERNEL_MIN) "$$release" | sort -V | \
		head -n 1)" != $(KERNEL_MIN) ]; then \
		echo "mmlens: Linux $$release is too old:" \
			"mmlens needs $(KERNEL_MIN) or later" >&2; \
		exit 1; \
	fi

help:
	@echo 'all              modules and userspace (default)'
	@echo 'modules          mmlens.ko for the kernel in KDIR'
	@echo '                 ($(KDIR))'
	@echo 'userspace        the reader'
	@echo 'tests            the programs that the tests in the VM use'
	@echo 'install          install the reader (DESTDIR, PREFIX)'
	@echo 'modules_install  install the module (INSTALL_MOD_PATH)'
	@echo 'check            every test, on every kernel (scripts/check)'
	@echo 'demo             the main job in a VM (scripts/demo)'
	@echo 'bench            the measurements (scripts/bench)'
	@echo 'clean            remove what was built'

.PHONY: all modules modules_install userspace tests install check demo bench \
	clean kernel-headers help
