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
	local commands="maps pmap pte vtop info help"
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
	maps | vtop)
		options=$common
		;;
	info)
		COMPREPLY=($(compgen -W "$common" -- "$cur"))
		return
		;;
	pmap)
		options="-x --extended -d --device -q --quiet -p --show-path -A --range $common"
		;;
	pte)
		options="--each --absent --raw --vma $common"
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
	-A | --range)
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
