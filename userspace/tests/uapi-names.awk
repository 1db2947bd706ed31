# SPDX-License-Identifier: GPL-2.0-only
# The contract's names as a C table, to hold the reader's tables against.
BEGIN {
	print "/* Made from mmlens.h. */"
	print "static const struct { const char *name; unsigned long long value; } uapi_names[] = {"
}
/^#define MMLENS_(PTE|EFF|VMA|MARKER|FIELD|TABLE|PROC)_[A-Z0-9_]+[ \t]/ ||
/^#define MMLENS_NR_[A-Z0-9_]+[ \t]/ {
	print "\t{ \"" $2 "\", " $2 " },"
}
/^[ \t]+MMLENS_(STATE|LEVEL|LRU|MIGRATE|PAGE_KIND|BUCKET|BACKING_KIND)_[A-Z0-9_]+[ \t]*=/ {
	print "\t{ \"" $1 "\", " $1 " },"
}
END { print "};" }
