"""A specification for tests in which names that are given out are not quite alike: only the first job that is made is served, and
once all were made and dropped but one, it is asked of which the name is free."""

from __future__ import annotations

import sys

from oneowner.model import (
    Call,
    Fresh,
    Map,
    Sort,
    Spec,
    State,
    action,
    constant,
    exists,
    leads_to,
    negation,
    none,
    require,
    unused,
)
from oneowner.model.language import Exploration


class Job(Sort):
    """What is to be done."""


class Clock(Sort):
    """What has come to pass: all were dropped but one (1), and one was made after that (2)."""


CLOCK = constant("CLOCK", Clock)


class Jobs(State):
    made: Map[Job, bool]
    first: Map[Job, bool]
    served: Map[Job, bool]
    phase: Map[Clock, int]


@unused
def job_unused(jobs: Jobs, job: Job) -> bool:
    return negation(jobs.made[job])


@action()
def make(jobs: Jobs, job: Fresh[Job]) -> Job:
    require(jobs.phase[CLOCK] < 2, "OVER")
    require(job != none, "FULL")
    if negation(exists(Job, lambda other: jobs.made[other])):
        jobs.first[job] = True
    jobs.made[job] = True
    if jobs.phase[CLOCK] == 1:
        jobs.phase[CLOCK] = 2
    return job


@action()
def serve(jobs: Jobs, job: Job) -> None:
    require(jobs.made[job], "NO_JOB")
    require(jobs.first[job], "NOT_FIRST")
    jobs.served[job] = True


@action()
def keep_only(jobs: Jobs, job: Job) -> None:
    require(jobs.phase[CLOCK] == 0, "OVER")
    require(negation(exists(Job, lambda other: negation(jobs.made[other]))), "NOT_ALL")
    jobs.made.where(lambda other: other != job, False)
    jobs.first.where(lambda other: other != job, False)
    jobs.served.where(lambda other: other != job, False)
    jobs.phase[CLOCK] = 1


@action()
def probe(jobs: Jobs, probed: Job) -> None:
    require(jobs.phase[CLOCK] == 2, "EARLY")
    require(negation(jobs.made[probed]), "MADE")


@leads_to(by="serve")
def is_served(jobs: Jobs, call: Call, job: Job) -> tuple[bool, bool, bool]:
    """A job that is made is served."""
    return jobs.made[job], jobs.served[job], (call.operation == "serve") & (call.job == job)


JOBS = Spec(
    "jobs",
    Jobs,
    (sys.modules[__name__],),
    lambda jobs: None,
    explorations={
        "two jobs": Exploration({"jobs": 2}, without=("keep_only",)),
        "two are made": Exploration({"jobs": 2}, without=("keep_only", "make"), opening="two"),
        "one is probed": Exploration({"jobs": 3}, without=("serve",), arguments={"probed": (2,)}),
    },
    openings={"two": [("make", {}), ("make", {})]},
    where="jobs:JOBS",
)
