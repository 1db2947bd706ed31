# SPDX-License-Identifier: GPL-2.0-only
# bash completion for mmlens(1)

_mmlens_pids()
{
	local pids=(/proc/[0-9]*)

	COMPREPLY=($(compgen -W "${pids[*]#/proc/}" -- "$1"))
}

_mmlens()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local commands="maps smaps smaps_rollup numa_maps pmap pte vtop tables folios ps info help"
	local common="--json --help --version" options

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
		return
	fi
	case ${COMP_WORDS[1]} in
	help)
		[[ $COMP_CWORD -eq 2 ]] &&
			COMPREPLY=($(compgen -W "$commands" -- "$cur"))
		return
		;;
	maps | smaps | smaps_rollup | numa_maps | vtop | folios)
		options=$common
		;;
	info)
		COMPREPLY=($(compgen -W "$common" -- "$cur"))
		return
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
	-s | --sort)
		COMPREPLY=($(compgen -W "pid user command name vss rss pss uss swap tables" -- "$cur"))
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	else
		_mmlens_pids "$cur"
	fi
}

complete -F _mmlens mmlens
