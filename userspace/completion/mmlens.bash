# SPDX-License-Identifier: GPL-2.0-only
# bash completion for mmlens(1)

_mmlens_pids()
{
	local pids=(/proc/[0-9]*)

	COMPREPLY=($(compgen -W "${pids[*]#/proc/}" -- "$1"))
}

# What commands about free memory take: CURRENT PREVIOUS OPTIONS
_mmlens_free()
{
	local words="-n --node -z --zone $3"

	case $2 in
	-n | --node | -o | --order | -c | --count)
		words=
		;;
	-z | --zone)
		words="DMA DMA32 Normal Movable Device"
		;;
	-t | --type)
		words="Unmovable Movable Reclaimable HighAtomic CMA Isolate"
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$1"))
}

# What lru takes: CURRENT PREVIOUS OPTIONS
_mmlens_lru()
{
	local words=$3

	case $2 in
	--memcg)
		COMPREPLY=($(compgen -d -- "$1"))
		return
		;;
	-l | --list)
		words="inactive_anon active_anon inactive_file active_file unevictable anon file gen:"
		;;
	--pid)
		words=$(cd /proc && echo [0-9]*)
		;;
	-n | --node | --tail | --head | --after | --watch | --count)
		words=
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$1"))
}

# What watch takes: CURRENT PREVIOUS OPTIONS
_mmlens_watch()
{
	case $2 in
	-i | --interval | -n | --count | --for)
		return
		;;
	--plot)
		COMPREPLY=($(compgen -f -- "$1"))
		return
		;;
	esac
	if [[ $1 == -* ]]; then
		COMPREPLY=($(compgen -W "$3" -- "$1"))
	else
		_mmlens_pids "$1"
	fi
}

# What trace takes: CURRENT PREVIOUS OPTIONS
_mmlens_trace()
{
	case $2 in
	-e | --events)
		COMPREPLY=($(compgen -W "all $(mmlens help trace |
			sed -n '/^Kinds/,$s/^  \([a-z]*\)  *\([a-z0-9_-]*\)  .*/\1 \2/p')" -- "$1"))
		;;
	--seconds | --buffer)
		;;
	*)
		if [[ $1 == -* ]]; then
			COMPREPLY=($(compgen -W "$3" -- "$1"))
		else
			_mmlens_pids "$1"
		fi
		;;
	esac
}

# What lab takes: CURRENT PREVIOUS
_mmlens_lab()
{
	case $2 in
	lab)
		COMPREPLY=($(compgen -W "list run" -- "$1"))
		;;
	--plot)
		COMPREPLY=($(compgen -f -- "$1"))
		;;
	*)
		COMPREPLY=($(compgen -W "$(mmlens lab list 2>/dev/null |
			sed 's/ .*//; 1d') --plot --json --help --version" -- "$1"))
		;;
	esac
}

_mmlens()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local commands="maps smaps smaps_rollup numa_maps pmap pte vtop tables folios ps zones zoneinfo buddyinfo pagetypeinfo buddy pageblocks frag ledger page-types pfn lru kmap watch snap diff trace lab verify info help"
	local common="--json --from --help --version" options

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
		return
	fi
	if [[ $prev == --from ||
		${COMP_WORDS[1]} == snap && $prev == @(-o|--output) ]]; then
		COMPREPLY=($(compgen -f -- "$cur"))
		return
	fi
	case ${COMP_WORDS[1]} in
	diff)
		if [[ $prev == --pid ]]; then
			_mmlens_pids "$cur"
		elif [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "--pid --every --count --each --json --help --version" -- "$cur"))
		elif [[ $prev != --every && $prev != --count ]]; then
			COMPREPLY=($(compgen -f -- "$cur"))
		fi
		return
		;;
	lab)
		_mmlens_lab "$cur" "$prev"
		return
		;;
	verify)
		if [[ $prev == -p || $prev == --pid ]]; then
			_mmlens_pids "$cur"
		elif [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "-p --pid --others --samples --quick --all --most --list $common" -- "$cur"))
		elif [[ $prev != --others && $prev != --samples && $prev != --most ]]; then
			COMPREPLY=($(compgen -W "$(mmlens verify --list | cut -d ' ' -f 1)" -- "$cur"))
		fi
		return
		;;
	snap)
		options="-o --output --machine --entries -q --quiet --json --help --version"
		;;
	help)
		[[ $COMP_CWORD -eq 2 ]] &&
			COMPREPLY=($(compgen -W "$commands" -- "$cur"))
		return
		;;
	vtop)
		options="-k --kernel --user $common"
		;;
	kmap)
		local words="-r --region --wx --user --all $common"

		[[ $prev == -r || $prev == --region ]] &&
			words="guard_hole ldt_remap direct_map vmalloc vmemmap kasan_shadow cpu_entry_area espfix efi kernel_text modules fixmap vsyscall"
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		return
		;;
	watch)
		_mmlens_watch "$cur" "$prev" "-i --interval -n --count --for -p --pid --accessed --reset --lru --zones --counters --lines --chart --csv --plot $common"
		return
		;;
	maps | smaps | smaps_rollup | numa_maps | folios)
		options=$common
		;;
	zoneinfo | buddyinfo | pagetypeinfo | info)
		COMPREPLY=($(compgen -W "$common" -- "$cur"))
		return
		;;
	zones)
		COMPREPLY=($(compgen -W "-k --abbreviate -c --cpus $common" -- "$cur"))
		return
		;;
	buddy)
		_mmlens_free "$cur" "$prev" "-l --list --map -o --order -t --type $common"
		return
		;;
	pageblocks)
		_mmlens_free "$cur" "$prev" "--map -t --type $common"
		return
		;;
	frag)
		_mmlens_free "$cur" "$prev" "-o --order -c --count -a --all $common"
		return
		;;
	ledger)
		_mmlens_free "$cur" "$prev" "-f --free --map $common"
		return
		;;
	pfn)
		COMPREPLY=($(compgen -W "--who --no-who $common" -- "$cur"))
		return
		;;
	lru)
		_mmlens_lru "$cur" "$prev" "-a --all --pages --tail --head --memcg -n --node -l --list --pid --after --watch --count $common"
		return
		;;
	trace)
		_mmlens_trace "$cur" "$prev" "-e --events -f --follow -s --summary --seconds --buffer $common"
		return
		;;
	page-types)
		options="-r --raw -d --describe -a --addr -b --bits -c --cgroup -p --pid -l --list -L --list-each -C --list-cgroup -M --list-mapcnt -N --no-summary $common"
		;;
	pmap)
		options="-x --extended -X -XX -d --device -q --quiet -p --show-path -A --range $common"
		;;
	pte)
		options="--each --pages --absent --raw --vma $common"
		;;
	tables)
		options="--all --each --ranges $common"
		;;
	ps)
		options="-m --mappings -u --users -w --system -a --all -c --command-line -s --sort -r --reverse -t --totals -H --no-header -k --abbreviate -p --percent -n --numeric $common"
		;;
	*)
		return
		;;
	esac
	case $prev in
	--vma)
		COMPREPLY=($(compgen -W "[heap] [stack] [vdso]" -- "$cur"))
		return
		;;
	-A | --range | --ranges)
		return
		;;
	-p | --pid)
		# of ps a flag
		[[ ${COMP_WORDS[1]} == page-types ]] && _mmlens_pids "$cur" && return
		;;
	-c | --cgroup)
		[[ ${COMP_WORDS[1]} == page-types ]] &&
			COMPREPLY=($(compgen -d -- "$cur")) && return
		;;
	-s | --sort)
		COMPREPLY=($(compgen -W "pid user command name vss rss pss uss swap tables" -- "$cur"))
		return
		;;
	esac
	if [[ $cur == -* || ${COMP_WORDS[1]} == page-types ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	else
		_mmlens_pids "$cur"
	fi
}

complete -F _mmlens mmlens
