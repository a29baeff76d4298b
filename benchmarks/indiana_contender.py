"""What the contenders of `indiana.py` share: the names in the data, and how a run is reported.

A contender is a script with one function from a folder, a format and a count date to findings and
the seconds of its stages. `main` runs it once, in the process that it has to itself, and prints
what it took; imports are not counted.
"""

import argparse
import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

TABLES = ("student", "enrollment", "special_education", "school")
SCHOOL_AGE = tuple(str(code) for code in range(50, 58))
PRESCHOOL = ("26", "27", "28", "29", "33", "34", "35", "36", "37", "38")
CODED = (*PRESCHOOL, *SCHOOL_AGE)
PROGRAMS = (
    *CODED,
    "Undefined",
    "Choice Voucher",
    "Identified Unserved NonPublic/Homeschool Only",
)
SETTINGS = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "99")
GRADES = (
    "PK",
    "KG",
    "KG - Morning",
    "KG - Afternoon",
    *(f"{grade:02d}" for grade in range(1, 14)),
)
# The names that a file may carry instead of the codes.
PROGRAM_NAMES = {
    "Regular Early Childhood, at least 10 Hours": "26",
    "Regular Early Childhood, at least 10 Hours, Other Location": "27",
    "Regular Early Childhood, less than 10 Hours": "28",
    "Regular Early Childhood, less than 10 Hours, Other Location": "29",
    "Special Education Program, Separate Class": "33",
    "Special Education Program, Separate School": "34",
    "Special Education Program, Residential Facility": "35",
    "Other Services at Provider Location": "36",
    "Other Services at Home": "37",
    "Private Preschool": "38",
    "Regular Classroom (80% or more)": "50",
    "Resource Room (40%-79%)": "51",
    "Separate Class (less than 40%)": "52",
    "Separate Day School Facility (+50%)": "53",
    "Residential Facility (+50%)": "54",
    "Correctional Facility": "55",
    "Parentally placed in Private School": "56",
    "Student's disability requires home services": "57",
}


@dataclass
class Stages:
    """Seconds on the clock and of the processor by stage, in their order."""

    wall: dict[str, float]
    processor: dict[str, float]


@dataclass
class Run:
    """`findings` have a row (rule, student) for each row that a rule reports.

    `peak` is the most memory held while they were made, in bytes, `checks` the number of rules
    and built-in checks, and `evidence` the plan of each pass, in our words and in those of Polars.
    """

    findings: pl.DataFrame
    stages: Stages
    peak: int
    checks: int = 19
    evidence: Sequence[tuple[str, str]] = ()


@contextmanager
def stage(name: str, into: Stages | None = None) -> Iterator[Stages]:
    """Times what is done within."""
    stages = Stages({}, {}) if into is None else into
    wall, processor = time.perf_counter(), time.process_time()
    yield stages
    stages.wall[name] = time.perf_counter() - wall
    stages.processor[name] = time.process_time() - processor


def peak_bytes() -> int:
    """The most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(run: Callable[[Path, str, dt.date], Run]) -> None:
    """Runs a contender as the command line says; writes findings to a file and figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=["csv", "parquet"])
    parser.add_argument("--count-date", type=dt.date.fromisoformat, default=dt.date(2023, 12, 1))
    parser.add_argument("--out", type=Path)
    asked, _ = parser.parse_known_args()
    done = run(asked.folder, asked.kind, asked.count_date)
    if asked.out is not None:
        done.findings.write_parquet(asked.out)
    figures = {
        "wall": done.stages.wall,
        "processor": done.stages.processor,
        "peak_bytes": done.peak,
        "findings": done.findings.height,
        "checks": done.checks,
        "evidence": done.evidence,
    }
    json.dump(figures, sys.stdout)
