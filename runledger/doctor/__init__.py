"""The doctor: looks at a whole set-up, says what is wrong with it, and what to do. It changes nothing.

`seeing` collects facts from the machine, the broker and the database, side by side and within a time; `judging` makes
findings of facts, and asks nobody; `checks` says which judgement needs which facts.
"""

from runledger.doctor.examination import Examination, examine
from runledger.doctor.findings import Finding, Verdict

__all__ = ["Examination", "Finding", "Verdict", "examine"]
