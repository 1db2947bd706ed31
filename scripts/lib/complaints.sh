# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a kernel says when something is wrong with it.

# Extended regular expressions, matched anywhere in a line of the log. They
# are as the kernel spells them (case matters), and narrow enough that a stock
# kernel's boot has none: a line that matches is a complaint, there is no list
# of exceptions.
readonly COMPLAINTS=(
	# BUG(), WARN(), oops, panic
	'\bBUG: '
	'\bBUG at '
	'\bWARNING: '
	'\bOops\b'
	'Kernel panic'
	'[Uu]nable to handle '
	'Call [Tt]race:'
	# A user program's own fault says "ip:" instead.
	'general protection fault[:,]'
	'double fault:|stack segment:|invalid opcode: [0-9]'
	# memory
	'\bBUG [^ ]+ \(.*\): '
	'\bBad (page|rss-counter)'
	'\bK(A|C|M)SAN: |\bKFENCE: |\bUBSAN: '
	'kmemleak: [1-9][0-9]* new'
	# It doesn't look any more.  (Without a scan area, it looks at all of one.)
	'kmemleak: (Memory pool empty|Cannot allocate a kmemleak_object|Kernel memory leak detector disabled)'
	'list_(add|del) corruption'
	'refcount_t: '
	# locks
	'possible (circular|recursive|irq lock inversion)'
	'inconsistent lock state'
	'trying to register non-static key'
	'turning off the locking correctness validator'
	'suspicious RCU usage'
	'bad unlock balance|held lock freed|lock held when returning'
	'scheduling while atomic'
	'sleeping function called'
	# time
	'INFO: .*\bstall'
	'(soft|hard) (lockup|LOCKUP)'
	'blocked for more than '
	'kthread starved'
)

# kernel_complaints: filter a kernel log, print the lines that complain.
# Fails if there are none.
kernel_complaints() {
	local IFS='|'

	grep -aE "${COMPLAINTS[*]}"
}

# complaint_excerpt LOG: the part of a kernel log that shows the first
# complaint, with what came just before and the trace after it.
complaint_excerpt() {
	local first

	first=$(kernel_complaints <"$1" | head -n 1) || return 0
	tr -d '\r' <"$1" | grep -aF -m 1 -B 5 -A 60 -e "${first%$'\r'}" |
		cut -c 1-200
}
