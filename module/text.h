/* SPDX-License-Identifier: GPL-2.0-only */
/* Records as text, for debugfs. */
#ifndef MML_TEXT_H
#define MML_TEXT_H

#include <linux/seq_file.h>

#include "uapi/mmlens.h"

const char *mml_text_kind(unsigned int nr);
void mml_text_record(struct seq_file *m, const struct mmlens_record *rec);

/* How many numbers mml_text_ledger() takes. */
#define MML_LEDGER_BUCKETS	(MMLENS_BUCKET_KERNEL + 1)

void mml_text_ledger(struct seq_file *m, int node, unsigned int zone,
		     const u64 pages[MML_LEDGER_BUCKETS]);

#endif
