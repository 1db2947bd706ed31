# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running something in a tree.

# in_chroot ROOT SRC COMMAND...: run it in a private mount namespace, with
# SRC as /src and nothing to clean up afterwards. What modules for a debug kernel
# are built against is in /mnt.
in_chroot() {
	local root=$1 src=$2
	shift 2

	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private -- bash -euc '
		root=$1 src=$2 headers=${1%/root}/build
		shift 2
		mount --bind "$src" "$root/src"
		[[ ! -d $headers ]] || mount --bind "$headers" "$root/mnt"
		mount --rbind /dev "$root/dev"
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' bash "$root" "$src" "$@" </dev/null
}

# copy_source DIR: what the working copy has that isn't ignored.
copy_source() {
	mkdir -p "$1"
	git -c safe.directory="$TOP" -C "$TOP" \
		ls-files -z -co --exclude-standard |
		rsync -rlp --from0 --ignore-missing-args --files-from=- \
			"$TOP" "$1"
}
