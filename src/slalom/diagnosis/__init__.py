"""What a training looked like, in plain words: what went wrong, what went right, what to do."""

from slalom.diagnosis.checks import diagnose as diagnose
from slalom.diagnosis.findings import Diagnosis as Diagnosis
from slalom.diagnosis.findings import Finding as Finding
