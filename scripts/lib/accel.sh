# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Which accelerator runs the machine. Needs common.sh.

# A guest that is up this long after its start has hung: a kernel that does
# nothing but power off takes a second or two under KVM.
readonly KVM_PROBE_SECONDS=8

# make_probe_initrd BOOT FILE: an initramfs that only powers off.
make_probe_initrd() {
	local boot=$1 file=$2 dir

	dir=$(mktemp -d)
	mkdir "$dir/bin"
	cp "$boot/busybox" "$dir/bin/busybox"
	printf '%s\n' '#!/bin/busybox sh' 'busybox echo kvm-probe-ok' \
		'exec busybox poweroff -f' >"$dir/init"
	chmod 755 "$dir/init"
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) >"$file"
	rm -rf "$dir"
}

# kvm_runs_guest TREE: whether KVM really boots the kernel of this tree. A
# /dev/kvm that opens may still hang the guest or crash it.
kvm_runs_guest() {
	local tree=$1 dir rc=1

	[[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	dir=$(mktemp -d)
	make_probe_initrd "$tree/boot" "$dir/initrd"
	timeout -k 1 "$KVM_PROBE_SECONDS" qemu-system-x86_64 \
		-accel kvm -machine q35 -cpu max -m 256 -nodefaults \
		-display none -no-reboot -serial "file:$dir/log" \
		-kernel "$tree/vmlinux" -initrd "$dir/initrd" \
		-append "console=ttyS0 panic=-1" \
		</dev/null >/dev/null 2>&1 || :
	grep -aqs kvm-probe-ok "$dir/log" && rc=0
	rm -rf "$dir"
	return $rc
}

# accel_auto SERIES: print kvm or tcg. The probe's answer holds for one boot
# of this machine and one make of the tree.
accel_auto() {
	local tree=$MMLENS_CACHE/$1 key answer=$MMLENS_CACHE/$1.kvm word

	key="$(</proc/sys/kernel/random/boot_id) $(<"$tree/stamp")"
	if [[ ! -e /dev/kvm ]]; then
		echo tcg
		return
	fi
	if [[ -e $answer && $(head -n 1 "$answer") == "$key" ]]; then
		tail -n 1 "$answer"
		return
	fi
	word=tcg
	if kvm_runs_guest "$tree"; then
		word=kvm
	fi
	# The cache may be root's; then the answer is found anew each time.
	printf '%s\n' "$key" "$word" 2>/dev/null >"$answer" || :
	echo "$word"
}
