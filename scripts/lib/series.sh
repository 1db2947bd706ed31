# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Which Debian suites a kernel series comes from, and where they are.
# Needs common.sh.

# Series -> "BASE KERNEL": the suite that the tree is made of and the one
# that the kernel is taken from. BASE's security suite is added where there
# is one. The exact version is whatever the kernel's metapackage asks for.
declare -Ar SERIES_SUITES=(
	[5.10]="bullseye bullseye"
	[6.1]="bookworm bookworm"
	[6.12]="trixie trixie"
)

# "newest" is the highest version among these.
readonly NEWEST_SUITES=(
	"trixie trixie-backports"
	"sid sid"
	"sid experimental"
)

# Suites that never have a security suite of their own.
readonly UNSECURED_SUITES=" sid experimental "

readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

series_known() {
	[[ $1 == newest || -v SERIES_SUITES[$1] ]]
}

series_list() {
	printf '%s\n' "${!SERIES_SUITES[@]}" | sort -V
	echo newest
}

# Debian's name of the architecture, of any name that people use for it.
# One more line here (and a QEMU command line in vm) makes one more
# architecture.
arch_debian() {
	case $1 in
	amd64 | x86_64) echo amd64 ;;
	*) return 1 ;;
	esac
}

index_targets() {
	apt-get indextargets \
		--format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
		awk '$3 == "main" && $4 == "Packages" { print $1, $2 }' | sort -u
}

# mirror_uri: where this machine gets Debian from. MMLENS_MIRROR overrides.
mirror_uri() {
	local codename uri

	if [[ -n ${MMLENS_MIRROR:-} ]]; then
		echo "$MMLENS_MIRROR"
		return
	fi
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
	uri=$(index_targets | awk -v codename="$codename" '
		$2 == codename || $2 ~ /^(old)*stable$/ ||
		$2 ~ /^(testing|unstable|sid)$/ { print $1; exit }')
	[[ -n $uri ]] || {
		note "no Debian mirror in apt's sources" \
			"(MMLENS_MIRROR=URI names one)"
		return 1
	}
	echo "$uri"
}

# security_uri: where this machine gets security updates from; empty if it
# has no such source.
security_uri() {
	index_targets | awk '$2 ~ /-security$/ { print $1; exit }'
}

# apt_sources BASE KERNEL: the lines of a sources.list.
apt_sources() {
	local base=$1 kernel=$2 mirror security

	mirror=$(mirror_uri)
	security=$(security_uri)
	echo "deb [signed-by=$KEYRING] $mirror $base main"
	if [[ $kernel != "$base" ]]; then
		echo "deb [signed-by=$KEYRING] $mirror $kernel main"
	fi
	if [[ -n $security && $UNSECURED_SUITES != *" $base "* ]]; then
		echo "deb [signed-by=$KEYRING] $security $base-security main"
	fi
}

# apt_options: what this machine's own apt was told about reaching its
# sources, one option a line.
apt_options() {
	apt-config dump | grep -E \
		'^Acquire::(Check-(Valid-Until|Date)|https?::Proxy|Retries) ' |
		sed 's/;$//' || :
	echo 'Acquire::Languages "none"'
}

# newest_resolve: print "BASE KERNEL VERSION" of the highest kernel that the
# suites above have headers for, from the network.
newest_resolve() {
	local package=linux-headers-cloud-amd64
	local dir mirror pair suite version best='' best_pair='' o
	local opts=()

	mirror=$(mirror_uri)
	dir=$(mktemp -d)
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	for pair in "${NEWEST_SUITES[@]}"; do
		suite=${pair#* }
		echo "deb [arch=amd64 signed-by=$KEYRING] $mirror $suite main"
	done >"$dir/sources.list"
	while IFS= read -r o; do
		o=${o//\"/}
		opts+=(-o "${o%% *}=${o#* }")
	done < <(apt_options)
	opts+=(-o "Dir::Etc::SourceList=$dir/sources.list"
		-o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o APT::Sandbox::User=root -o APT::Architecture=amd64)

	apt-get "${opts[@]}" -qq update >/dev/null 2>&1 || :
	for pair in "${NEWEST_SUITES[@]}"; do
		suite=${pair#* }
		version=$(apt-cache "${opts[@]}" madison $package 2>/dev/null |
			awk -v s="$suite/main" '$6 == s { print $3; exit }')
		[[ -n $version ]] || continue
		if [[ -z $best ]] ||
			dpkg --compare-versions "$version" gt "$best"; then
			best=$version
			best_pair=$pair
		fi
	done
	rm -rf "$dir"
	[[ -n $best ]] || return 1
	echo "$best_pair $best"
}

# newest_suites: the same from a stamp that is at most a day old; without a
# network, from an older one.
newest_suites() {
	local stamp=$MMLENS_CACHE/newest.suites fresh

	if [[ -z $(find "$stamp" -mmin -1440 2>/dev/null) ]]; then
		if fresh=$(newest_resolve); then
			echo "$fresh" >"$stamp.$$"
			mv "$stamp.$$" "$stamp"
		elif [[ -e $stamp ]]; then
			note "cannot ask for the newest kernel;" \
				"using the one of $(date -r "$stamp" +%F)"
		else
			note "cannot find out the newest kernel"
			return 1
		fi
	fi
	cat "$stamp"
}

# series_suites SERIES: print "BASE KERNEL [VERSION]".
series_suites() {
	if [[ $1 == newest ]]; then
		newest_suites
	else
		echo "${SERIES_SUITES[$1]}"
	fi
}
