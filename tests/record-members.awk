# SPDX-License-Identifier: GPL-2.0-only
# RECORD.MEMBER of each member of the contract's records that is wide enough for
# an address, or text.
/^struct mmlens_/ { record = $2; sub(/^mmlens_/, "", record) }
/^}/ { record = "" }
record && /^\t(__u64|char) / {
	member = $2
	sub(/[\[;].*/, "", member)
	print record "." member
}
