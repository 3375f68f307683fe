"""The mutants: each a defect somebody could write into a reducer, with what it would break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Args:
        module: of processors/.
        original: text that occurs once in the file.
        replacement: what stands in its place.
        breaks: what is wrong then.
    """

    module: str
    original: str
    replacement: str
    breaks: str


def _of(module: str, *changes: tuple[str, str, str]) -> tuple[Mutant, ...]:
    return tuple(Mutant(module, *change) for change in changes)


MUTANTS: tuple[Mutant, ...] = (
    *_of(
        "ledger",
        (
            "    run.events += 1\n",
            "",
            "events are not counted",
        ),
        (
            "if occurred_at > logged_at + MAX_CLOCK_LEAD:",
            "if occurred_at >= logged_at + MAX_CLOCK_LEAD:",
            "five minutes ahead are too far already",
        ),
        (
            "occurred_at = logged_at\n",
            "occurred_at = logged_at + MAX_CLOCK_LEAD\n",
            "a clock too far ahead is set too far",
        ),
        (
            "if agent_id is not None and (not run.outcome_revision or agent_id == run.agent_id):",
            "if agent_id is not None:",
            "a run changes its agent after its outcome is out",
        ),
        (
            "if run.agent_rank is None or rank < run.agent_rank:",
            "if run.agent_rank is None:",
            "the first to arrive names the agent",
        ),
        (
            "rank = (occurred_at, event.event_id)",
            'rank = (occurred_at, "")',
            "who names the agent is a matter of arrival where times are equal",
        ),
        (
            "run.last_logged_at = max(run.last_logged_at, logged_at)",
            "run.last_logged_at = logged_at",
            "a broker's clock set back moves the deadline back",
        ),
        (
            "if run.heard_at is None or logged_at > run.heard_at:",
            "if True:",
            "the same for when it was heard",
        ),
        (
            "if run.last_occurred_at is None or occurred_at > run.last_occurred_at:",
            "if True:",
            "the last to arrive is the last sign of life",
        ),
        (
            "return run is not None and bool(run.start_event_id == event.event_id)",
            "return False",
            "a repeated start counts",
        ),
        (
            '(run.started_at, run.start_event_id or "") < (occurred_at, event.event_id)',
            '(run.started_at, run.start_event_id or "") > (occurred_at, event.event_id)',
            "the latest start holds",
        ),
        (
            "return data.detached",
            "return False",
            "a detached failure makes a run",
        ),
        (
            "return run is not None and bool(run.end_event_id == event.event_id)",
            "return False",
            "a repeated end counts",
        ),
        (
            "if run.ended_at is not None and not run.inferred:",
            "if run.ended_at is not None:",
            "an inferred end counts as explicit",
        ),
        (
            "if (run.status, run.outcome) != (end.status, end.outcome):",
            "if run.status != end.status:",
            "success and partial do not conflict",
        ),
        (
            'if (run.ended_at, run.end_event_id or "") < (occurred_at, event.event_id):',
            "if True:",
            "the first end to arrive holds",
        ),
        (
            "run.end_logged_at = run.end_logged_at or at.logged_at",
            "run.end_logged_at = at.logged_at",
            "run_at changes with a revision",
        ),
        (
            "run.traces += end.traces",
            "run.traces = end.traces",
            "an end forgets the traces before it",
        ),
        (
            "run.models = add_model(run.models, end.usage.model)",
            "pass",
            "an end's model is not noted",
        ),
        (
            "    run.inferred = False\n",
            "",
            "an explicit end stays inferred",
        ),
        (
            " or run.version != event.data.last_version:",
            ":",
            "a timeout ends a run that has moved",
        ),
        (
            "conclude(run, nameless=True)",
            "conclude(run)",
            "a nameless run that timed out never goes out",
        ),
        (
            'else {**data.meta, "summary": data.summary}',
            'else {"summary": data.summary, **data.meta}',
            "meta's summary wins over the end's",
        ),
        (
            'actions = {**recorded.meta, "summary": recorded.summary}',
            'actions = {"summary": recorded.summary, **recorded.meta}',
            "the same for a recorded run",
        ),
        (
            'status: _EndStatus = "failed" if logged.status == "failed" else "completed"',
            'status: _EndStatus = "completed" if logged.status == "success" else "failed"',
            "a partial cycle is a failed run",
        ),
        (
            '"interrupted": "partial",',
            '"interrupted": "failed",',
            "an interrupted run counts as failed",
        ),
        (
            "run.heard_at = run.heard_at or run.last_logged_at ",
            "run.heard_at = at.logged_at ",
            "a timeout is a sign of life",
        ),
        (
            "    freeze(step.state)\n",
            "",
            "a run that is out may still be changed",
        ),
        (
            "    run.born_offset = at.offset\n",
            "",
            "every life of a run is its first",
        ),
        (
            "price)\n    run.usage, run.cost_source, run.usage_mismatch = sum_up(",
            "price)\n    run.usage, run.cost_source, _ = run.usage, run.cost_source, (",
            "the final usage of an end counts only with the next report",
        ),
        (
            "    run.end_summary = end.summary\n",
            "",
            "an end's summary is no output",
        ),
    ),
    *_of(
        "evolve",
        (
            'return record if hasattr(record_type, "frozen_type") else copier_of(record_type)(record)',
            "return copier_of(record_type)(record)",
            "a batch cannot change a run twice",
        ),
        (
            "        draft.__class__ = frozen_type\n",
            "        pass\n",
            "a run can be changed by whoever holds it",
        ),
    ),
    *_of(
        "usage",
        (
            'merged = "mixed"',
            "merged = report_source",
            "the last report says where the cost comes from",
        ),
        (
            "elif total.cost_usd is None and not _has_tokens(total):",
            "elif total.cost_usd is None:",
            "unknown costs before a known one are forgotten",
        ),
        (
            "(cost_usd is None and not _has_tokens(usage))",
            "cost_usd is None",
            "a report of unknown cost does not make the sum mixed",
        ),
        (
            "_plus(usage.input_tokens, usage.output_tokens) if stated is None else stated",
            "_plus(usage.input_tokens, usage.output_tokens)",
            "a stated total is not believed",
        ),
        (
            "return second if first is None else first\n",
            "return None\n",
            "nothing plus something is nothing",
        ),
        (
            "return total if total <= MAX_INTEGER else MAX_INTEGER",
            "return total",
            "sums grow beyond what readers hold",
        ),
        (
            "cost_usd = min(total.cost_usd + cost_usd, MAX_COST_USD)",
            "cost_usd = total.cost_usd + cost_usd",
            "costs outgrow their column",
        ),
        (
            "total_tokens is None and usage.input_tokens is not None and usage.output_tokens is not None",
            "total_tokens is None and usage.input_tokens is not None",
            "half a final is taken for the whole",
        ),
        (
            "of_sum if of_final is None else of_final",
            "of_final if of_sum is None else of_sum",
            "the sum wins over the final",
        ),
        (
            "if final.total_tokens is None and (final.input_tokens is not None or final.output_tokens is not None):",
            "if False:",
            "a partial final's total is the sum's",
        ),
        (
            'return source != "estimated" or same_tokens',
            "return True",
            "an estimate of fewer tokens holds against the final",
        ),
        (
            '(final_source != "reported" and _keeps_sum(reported, reported_source, used))',
            'final_source != "reported"',
            "the final's tokens are never estimated",
        ),
        (
            'cost_usd = final.cost_usd if final_source == "reported" else None',
            "cost_usd = final.cost_usd",
            "an estimate proves a mismatch",
        ),
        (
            "of_final is not None and of_sum is not None and of_final < of_sum",
            "of_final is not None and of_sum is not None and of_final > of_sum",
            "a final above the sum is a mismatch",
        ),
        (
            "[:MAX_MODELS])",
            "[-MAX_MODELS:])",
            "which models are kept depends on the order",
        ),
    ),
    *_of(
        "outcomes",
        (
            "        outcome.silent,\n",
            "",
            "late traces revise no silent run",
        ),
        (
            "        outcome.ended_at,\n",
            "",
            "another end time is not told",
        ),
        (
            "if said == run.outcome_digest:",
            "if False:",
            "each event of an ended run says its outcome again",
        ),
        (
            "if nameless or run.outcome_revision else None",
            "if nameless else None",
            "revisions of a nameless run are lost",
        ),
        (
            "agent_id = run.agent_id or (",
            "agent_id = (",
            "every outcome waits for its deadline",
        ),
        (
            "outcome_of(run, agent_id, run.outcome_revision + 1)",
            "outcome_of(run, agent_id, 1)",
            "a revision has no number of its own",
        ),
        (
            "action_summary=summary if isinstance(summary, str) else None,",
            "action_summary=str(summary),",
            "a summary that is no text is told as one",
        ),
        (
            "logged_at=run.end_logged_at,",
            "logged_at=run.last_logged_at,",
            "run_at is that of the last event",
        ),
    ),
    *_of(
        "deadlines",
        (
            "return run.ended_at is not None and run.outcome_revision > 0",
            "return run.ended_at is not None",
            "an ended run that waits for its agent leaves memory unsaid",
        ),
        (
            "if now < due_at(run, policy):",
            "if now <= due_at(run, policy):",
            "a deadline passes an instant late",
        ),
        (
            'policy.ended_retention if run.kind == "lifecycle" else policy.record_retention',
            "policy.ended_retention",
            "one-event runs stay for a day",
        ),
        (
            "occurred_at=run.last_occurred_at or run.last_logged_at,",
            "occurred_at=run.last_logged_at,",
            "a run that timed out ended by the log's clock",
        ),
        (
            "timeout_event_id(row_id(run.project_key, run.run_id), run.version)",
            "timeout_event_id(row_id(run.project_key, run.run_id), 0)",
            "a second timeout is a repeat of the first",
        ),
        (
            "    if _is_settled(run):\n        return",
            "    if True:\n        return",
            "a nameless outcome is never said",
        ),
    ),
    *_of(
        "streaks",
        (
            'if outcome.kind == "record":',
            "if False:",
            "a recorded run resets the failing streak",
        ),
        (
            'case "partial":\n            return "leaves"',
            'case "partial":\n            return "resets"',
            "a partial run resets the failing streak",
        ),
        (
            "silence = silence + 1 if entry.silent else 0",
            "silence = silence + 1 if entry.silent else silence",
            "output does not end a silence",
        ),
        (
            "if health.floor is None or key > health.floor:",
            "if True:",
            "what ended before the window enters it",
        ),
        (
            "start = min(start, index)",
            "start = index",
            "a run moved forward in time leaves old counts behind",
        ),
        (
            "finished_runs=health.finished_runs + (outcome.revision == 1),",
            "finished_runs=health.finished_runs + 1,",
            "a revision is counted as a run",
        ),
        (
            "if outcome.revision == 1 and known is not None:",
            "if False:",
            "a run born again is logged again",
        ),
        (
            "floor = _key(oldest)",
            "floor = None",
            "nothing is ever too late",
        ),
        (
            "silence, failures = oldest.consecutive_silence_count, oldest.consecutive_failure_count",
            "silence, failures = 0, 0",
            "a streak ends where the window does",
        ),
        (
            "return entry.ended_at, entry.run_id",
            "return entry.ended_at, UUID(int=0)",
            "runs that end together count in order of arrival",
        ),
        (
            "if len(window) > window_runs:",
            "if len(window) > window_runs + 1:",
            "the window is one too long",
        ),
        (
            "tuple(other for other in changed if other.run_id != entry.run_id)",
            "tuple(changed)",
            "a run's first row is also a revision",
        ),
        (
            "baseline=_baseline(placed.window[: placed.index]),",
            "baseline=_baseline(placed.window),",
            "a run is compared with itself",
        ),
        (
            "seconds if seconds is not None and seconds >= 0 else None",
            "seconds",
            "a clock set back makes a negative duration",
        ),
        (
            "del window[start : start + 1]",
            "pass",
            "a revision stands beside what it replaces",
        ),
    ),
    *_of(
        "incidents",
        (
            "if streaks[incident.kind] < incident.threshold:",
            "if streaks[incident.kind] == 0:",
            "an incident recovers only at zero",
        ),
        (
            "if streaks[kind] >= threshold and kind not in open_kinds and health.window:",
            "if streaks[kind] >= threshold and health.window:",
            "an incident opens with every further run",
        ),
        (
            "if streaks[kind] >= threshold and kind",
            "if streaks[kind] > threshold and kind",
            "an incident opens one run late",
        ),
        (
            "if _streak(entry, kind) < threshold:",
            "if _streak(entry, kind) < 1:",
            "an incident is opened by the first run of its streak",
        ),
        (
            "max(recovery.ended_at, incident.opened_at)",
            "recovery.ended_at",
            "an incident recovers before it opened",
        ),
        (
            "kind, health.version)",
            "kind, 0)",
            "the next crossing is the same incident",
        ),
        (
            "incident = OpenIncident(kind, identity, opener.ended_at, opener.run_id, threshold)",
            "incident = OpenIncident(kind, identity, opener.ended_at, opener.run_id, 3)",
            "an incident forgets the threshold it opened at",
        ),
    ),
    *_of(
        "silence",
        (
            "if traces or _says_something(end_summary):",
            "if _says_something(end_summary):",
            "traces are no output",
        ),
        (
            "if traces or _says_something(end_summary):",
            "if traces:",
            "an end summary is no output",
        ),
        (
            "return DECLARED_IDLE not in actions and not",
            "return not",
            "a declared rest is silence",
        ),
        (
            "return True  # 0 and false are answers",
            "return bool(value)",
            "0 says nothing",
        ),
        (
            "return not (not value or value.isspace())",
            "return bool(value)",
            "white space says something",
        ),
    ),
    *_of(
        "dedupe",
        (
            "return before is not None and offset - before <= self.size",
            "return before is not None and offset - before < self.size",
            "the window is one record short",
        ),
        (
            'return hash((key or b"", content))',
            "return hash(content)",
            "another run's event is a repeat",
        ),
        (
            "if offset >= oldest}",
            "if offset > oldest + 1}",
            "the window forgets too soon",
        ),
        (
            "if len(self._offsets) > 1.5 * self.size:",
            "if False:",
            "the window grows for ever",
        ),
        (
            "if name == EVENT_ID_HEADER and isinstance(content, bytes):",
            "if False:",
            "an event's header is not read",
        ),
    ),
    *_of(
        "fold",
        (
            "        if record.offset < position:\n",
            "        if False:\n",
            "what was folded is folded again",
        ),
        (
            "        freeze(state)\n",
            "        pass\n",
            "a run that is held may be changed by a fold that never commits",
        ),
        (
            "            seen[event] = record.offset\n",
            "            seen.setdefault(event, record.offset)\n",
            "a repeat does not count as seen, but a reopened store would say so",
        ),
        (
            "        del changes.seen[event]\n",
            "",
            "a mended event is a repeat of its broken form",
        ),
        (
            "None if isinstance(latest, Tombstone) else latest\n",
            "held.states.get(key) if isinstance(latest, Tombstone) else latest\n",
            "an erased run rises within a batch",
        ),
        (
            "if newest is None or logged_at > newest:",
            "if True:",
            "a partition's clock goes back within a batch",
        ),
        (
            "            continue\n        folded += 1\n",
            "            folded += 1\n            continue\n        folded += 1\n",
            "good records below the position are counted again",
        ),
        (
            "next_offset=max([held.next_offset, *(batch.end for batch in batches)])",
            "next_offset=batches[-1].end",
            "an old batch moves the position back",
        ),
        (
            "            if before is None:\n                before = held.seen.last(event)\n",
            "",
            "only what a batch itself holds is a repeat",
        ),
        (
            "event is not None and len(held.rejected_with(changes, record.offset)) < MAX_REJECTED",
            "event is not None",
            "the list of dead letters grows for ever",
        ),
        (
            "came_up = sorted(held.timers.due(now, most))",
            "came_up = list(held.timers.due(now, most))",
            "the order of timeouts depends on restarts",
        ),
    ),
    *_of(
        "timers",
        (
            "if filed is None or due_at < filed:",
            "if filed is None:",
            "a shorter deadline is not filed",
        ),
        (
            "            del self._filed[key]\n",
            "",
            "a key comes up once in its life",
        ),
        (
            "if not self._heap or self._heap[0][0] > now:",
            "if not self._heap or self._heap[0][0] >= now:",
            "a key comes up an instant late",
        ),
        (
            "self._filed.get(self._heap[0][1]) != self._heap[0][0]",
            "self._heap[0][1] not in self._filed",
            "a key comes up for each time it was ever filed",
        ),
        (
            "if len(self._heap) > 2 * len(self._filed) + _SLACK:",
            "if False:",
            "the heap grows for ever",
        ),
    ),
    *_of(
        "state",
        (
            "            self.asked.pop(key, None)\n",
            "",
            "a run that went on is never asked again",
        ),
        (
            "self.held_bytes += size - self.sizes.get(key, 0)",
            "self.held_bytes += size",
            "bytes held are counted twice",
        ),
        (
            "if self.last_logged_at is None or logged_at > self.last_logged_at:",
            "if True:",
            "a partition's clock goes back",
        ),
        (
            "return read_until or self.last_logged_at",
            "return read_until",
            "who lags has no clock at all",
        ),
        (
            "return max(read_until, self.last_logged_at)",
            "return read_until",
            "a clock behind the log's counts",
        ),
        (
            "                self._drop(key)\n",
            "                self.states.pop(key, None)\n",
            "an evicted run leaves its timer and bytes behind",
        ),
        (
            "if offset >= oldest)",
            "if True)",
            "dead letters are remembered beyond the window",
        ),
        (
            "self.file(key, state, now + _ASK_AGAIN)",
            "self.file(key, state, now)",
            "a key comes up again at once",
        ),
        (
            "due_at if not_before is None else max(due_at, not_before)",
            "due_at",
            "the same, by the other side",
        ),
    ),
    *_of(
        "pricing",
        (
            "(usage.input_tokens or 0) - read - write,",
            "(usage.input_tokens or 0),",
            "cached tokens are charged twice",
        ),
        (
            "(usage.output_tokens or 0) - reasoning\n",
            "(usage.output_tokens or 0)\n",
            "reasoning is charged twice",
        ),
        (
            "if fresh < 0 or answer < 0:",
            "if fresh < 0:",
            "more reasoning than output is guessed at",
        ),
        (
            "if input_per_call > tier.start:",
            "if input_per_call >= tier.start:",
            "a prompt at the limit pays the higher tier",
        ),
        (
            "input_per_call = (usage.input_tokens or 0) / calls",
            "input_per_call = float(usage.input_tokens or 0)",
            "many short prompts pay for a long one",
        ),
        (
            "model.get_prices(at)",
            "model.get_prices(datetime.now(at.tzinfo))",
            "an old report is priced by today's price",
        ),
        (
            '(reasoning, "output_reasoning_mtok", "output_mtok"),',
            '(0, "output_reasoning_mtok", "output_mtok"),',
            "reasoning is free",
        ),
        (
            '(read, "cache_read_mtok", "input_mtok"),',
            '(read, "input_mtok", "input_mtok"),',
            "cached tokens cost as much as fresh ones",
        ),
        (
            "if model is None or (usage.input_tokens is None and usage.output_tokens is None):",
            "if model is None:",
            "only a total is priced as nothing",
        ),
        (
            "return quantize_usd(cost_usd)",
            "return cost_usd",
            "sums depend on digits no column holds",
        ),
        (
            "* calls / _THOUSAND",
            "/ _THOUSAND",
            "a price per request is charged once",
        ),
    ),
    *_of(
        "run_stage",
        (
            "if due.asked != state.version:",
            "if True:",
            "a timeout is asked for at every look",
        ),
        (
            "changes.snapshots[key] = ERASED",
            "changes.snapshots.pop(key, None)",
            "an erasure leaves the run where it is",
        ),
        (
            "            changes.erased.add(key)\n",
            "",
            "an erased run that is heard of again at once has no tombstone",
        ),
    ),
    *_of(
        "policies",
        (
            "return in_force.get((project_key, agent_id)) or in_force.get((project_key, None)) or self._default",
            "return in_force.get((project_key, None)) or self._default",
            "an agent's own settings do not count",
        ),
        (
            "            self.revision += 1",
            "            pass",
            "a shorter deadline reaches no run that is filed",
        ),
    ),
    *_of(
        "bounds",
        (
            "if state is not None and settled_at(state) == at:",
            "if state is not None:",
            "a run that went on leaves all the same",
        ),
        (
            "    settled.sort()\n",
            "",
            "room is made at random",
        ),
    ),
)
