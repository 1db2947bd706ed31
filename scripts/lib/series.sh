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

# "newest" is the highest version among these, "previous" the highest one of an
# older series than that, and newer than those above.
readonly NEWEST_SUITES=(
	"trixie trixie-backports"
	"sid sid"
	"sid experimental"
)

# Suites that never have a security suite of their own.
readonly UNSECURED_SUITES=" sid experimental "

readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# SERIES alone is the kernel for clouds, with the fewest modules; SERIES-generic
# and SERIES-rt are Debian's others of the same source. SERIES-debug is built from
# it with the programs of SERIES around it (scripts/debug-kernel).
series_known() {
	[[ $1 =~ ^([^-]+)(-(generic|rt|debug))?$ ]] || return 1
	case ${BASH_REMATCH[1]} in
	newest | previous) ;;
	*) [[ -v SERIES_SUITES[${BASH_REMATCH[1]}] ]] ;;
	esac
}

is_debug() {
	[[ $1 == *-debug ]]
}

# flavour_of SERIES: what stands in the names of its packages before "amd64".
flavour_of() {
	case $1 in
	*-generic) ;;
	*-rt) echo rt- ;;
	*) echo cloud- ;;
	esac
}

series_list() {
	printf '%s\n' "${!SERIES_SUITES[@]}" | sort -V
	printf '%s\n' previous newest
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

# pin PACKAGES SUITE: apt's preference for what a suite has.
pin() {
	printf 'Package: %s\nPin: release n=%s\nPin-Priority: 990\n\n' "$@"
}

# apt_options: what this machine's own apt was told about reaching its
# sources, one option a line.
apt_options() {
	apt-config dump | grep -E \
		'^Acquire::(Check-(Valid-Until|Date)|https?::Proxy|Retries) ' |
		sed 's/;$//' || :
	echo 'Acquire::Languages "none"'
}

# suites_apt DIR: leave in APT_OPTIONS what makes apt-get and apt-cache look at
# the sources.list that comes as input instead of this machine's own, and fetch
# its lists.
suites_apt() {
	local dir=$1 o

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	cat >"$dir/sources.list"
	APT_OPTIONS=()
	while IFS= read -r o; do
		o=${o//\"/}
		APT_OPTIONS+=(-o "${o%% *}=${o#* }")
	done < <(apt_options)
	APT_OPTIONS+=(-o "Dir::Etc::SourceList=$dir/sources.list"
		-o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o APT::Sandbox::User=root -o APT::Architecture=amd64)
	apt-get "${APT_OPTIONS[@]}" -qq update >/dev/null 2>&1 || :
}

# series_of VERSION: 7.3 of 7.3.4-1~bpo13+1, 7.3~rc7-1~exp1 or 7.3.
series_of() {
	[[ $1 =~ ^[0-9]+\.[0-9]+ ]] && echo "${BASH_REMATCH[0]}"
}

# newest_resolve: print a line "BASE KERNEL VERSION" of each kernel that the
# suites above have headers for, the newest series first and one of each, from
# the network.
newest_resolve() {
	local package=linux-headers-cloud-amd64
	local dir mirror pair suite version

	dir=$(mktemp -d)
	mirror=$(mirror_uri)
	suites_apt "$dir" < <(printf \
		"deb [arch=amd64 signed-by=$KEYRING] $mirror %s main\n" \
		"${NEWEST_SUITES[@]#* }")
	for pair in "${NEWEST_SUITES[@]}"; do
		suite=${pair#* }
		version=$(apt-cache "${APT_OPTIONS[@]}" madison $package \
			2>/dev/null |
			awk -v s="$suite/main" '$6 == s { print $3; exit }')
		[[ -z $version ]] ||
			echo "$(series_of "$version") $version $pair"
	done | sort -k 1,1Vr -k 2,2Vr -s | awk '!seen[$1]++ { print $3, $4, $2 }'
	rm -rf "$dir"
}

# newest_list: the same from a stamp that is at most a day old; without a
# network, from an older one.
newest_list() {
	local stamp=$MMLENS_CACHE/newest.list fresh

	if [[ -z $(find "$stamp" -mmin -1440 2>/dev/null) ]]; then
		fresh=$(newest_resolve)
		if [[ -n $fresh ]]; then
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

# previous_suites: none where all suites have one and the same series.
previous_suites() {
	local line series

	line=$(newest_list | sed -n 2p)
	series=$(series_of "${line##* }") || :
	if [[ -z $series || -v SERIES_SUITES[$series] ]]; then
		note "no series before the newest one has headers now"
		return 1
	fi
	echo "$line"
}

# series_suites SERIES: print "BASE KERNEL [VERSION]".
series_suites() {
	local series=${1%-generic}
	series=${series%-rt}

	case $series in
	newest) newest_list | head -n 1 ;;
	previous) previous_suites ;;
	*) echo "${SERIES_SUITES[$series]}" ;;
	esac
}
