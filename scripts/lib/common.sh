# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script shares: where things are, how to fail, how to become
# root for one command, how to get the packages a script needs.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LIB=$TOP/scripts/lib
MMLENS_CACHE=${MMLENS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mmlens}
PROG=${0##*/}

# Every path that goes into a chroot or a VM is made from this one.
[[ $MMLENS_CACHE == /* ]] || MMLENS_CACHE=$PWD/$MMLENS_CACHE

# shellcheck disable=SC2034 # for who reads this file
readonly TOP LIB MMLENS_CACHE PROG

# Made here, it belongs to the user; the trees in it are root's.
[[ -d $MMLENS_CACHE ]] || mkdir -p "$MMLENS_CACHE"

# Messages that scripts read must not depend on the user's language.
export LC_ALL=C.UTF-8

note() {
	printf '%s: %s\n' "$PROG" "$*" >&2
}

die() {
	note "$*"
	exit 1
}

usage_error() {
	note "$*"
	printf "Try '%s --help'.\n" "$PROG" >&2
	exit 2
}

# Some steps (chroot, apt) need root, nothing else does.
as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# A script that is root's work from end to end starts with this. The cache
# stays the one of the user who asked.
root_only() {
	[[ $EUID -eq 0 ]] && return
	exec sudo -- env "MMLENS_CACHE=$MMLENS_CACHE" \
		"MMLENS_MIRROR=${MMLENS_MIRROR:-}" "$0" "$@"
}

package_installed() {
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == \
		installed ]]
}

# need_packages PACKAGE...: install those that are missing, ask nothing.
need_packages() {
	local missing=() p log

	for p; do
		package_installed "$p" || missing+=("$p")
	done
	[[ ${#missing[@]} -eq 0 ]] && return

	note "installing ${missing[*]}"
	log=$(mktemp)
	if ! apt_install "${missing[@]}" >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		die "cannot install ${missing[*]}"
	fi
	rm -f "$log"
}

apt_install() {
	local apt=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -y
		-o DPkg::Lock::Timeout=300)

	# Lists may be absent or old; an update that fails (a third-party
	# source that is down) need not matter to the packages wanted here.
	"${apt[@]}" update || :
	"${apt[@]}" install --no-install-recommends "$@" </dev/null
}

# quietly LOG COMMAND...: run it with all output in LOG and "set -e" in force
# (a function called in a condition runs without), leave its exit status in
# QUIETLY_RC. Don't call this one in a condition. It runs as a process group
# that a trap can end with quietly_end.
quietly() {
	local log=$1
	shift

	set +e
	set -m
	(
		set -e
		trap - EXIT
		"$@"
	) >"$log" 2>&1 </dev/null &
	QUIETLY_PID=$!
	set +m
	wait "$QUIETLY_PID"
	# shellcheck disable=SC2034 # for the caller
	QUIETLY_RC=$?
	QUIETLY_PID=
	set -e
}

quietly_end() {
	if [[ -n ${QUIETLY_PID:-} ]]; then
		kill -TERM -- "-$QUIETLY_PID" 2>/dev/null || :
		wait "$QUIETLY_PID" 2>/dev/null || :
		QUIETLY_PID=
	fi
}
