"""Stream processors: stage 1 folds run events into runs, stage 2 folds outcomes into agents.

Pure parts (ledger, streaks, silence, pricing, fold) know no clock and no broker; `store`, `batching`, `owner` and `app`
are the thin I/O around them.
"""
