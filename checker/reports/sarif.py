"""The failures of a conformance run as SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...model.language import (
    Action,
    Spec,
)
from .. import TRACES
from ..conform import FAIL, FLAKY, Report, Verdict
from ..suite import digest
from .told import told_lines
from .words import reason


def sarif(spec: Spec, report: Report, traces: Path = TRACES) -> str:
    """The failures of a run as SARIF 2.1.0: a rule a clause that fails."""
    failing = report.having(FAIL, FLAKY)
    found = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "oneowner",
                        "version": version("oneowner"),
                        "rules": [_rule(spec.actions[v.clause.partition("/")[0]], v.clause) for v in failing],
                    }
                },
                "results": [_result(spec, report, traces, number, v) for number, v in enumerate(failing)],
                "properties": {
                    "connection": report.where,
                    "specification": spec.name,
                    "digest": digest(spec),
                    "profiles": list(report.profiles),
                    "seed": report.seed,
                },
            }
        ],
    }
    return json.dumps(found, indent=1) + "\n"


def _rule(action: Action, clause: str) -> dict[str, Any]:
    text = action.text or action.name
    seed = f" It carries {', '.join(action.seed)} of the requirements." if action.seed else ""
    return {
        "id": clause,
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text} This clause is of its outcome {clause.partition('/')[2]}.{seed}"},
        "defaultConfiguration": {"level": "error"},
    }


def _result(spec: Spec, report: Report, traces: Path, number: int, verdict: Verdict) -> dict[str, Any]:
    # "](" would begin a link, and the text quotes what the implementation answered
    text = "\n".join(told_lines(spec, report, verdict, traces)).replace("](", "] (")
    found = {
        "ruleId": verdict.clause,
        "ruleIndex": number,
        "level": "error",
        "message": {"text": text},
        # What fails is an implementation's behaviour, which is in no file of the project.  GitHub shows no result without
        # a file, so each clause has a path of its own that is none: results of different clauses stay apart.
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"oneowner/{quote(verdict.clause)}"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": verdict.clause, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": hashlib.sha256(repr(verdict.clause).encode()).hexdigest()},
        "properties": {"status": verdict.status, "again": verdict.shown},
    }
    if verdict.clause in report.expected:
        found["suppressions"] = [{"kind": "external", "justification": reason(report, verdict)}]
    return found
