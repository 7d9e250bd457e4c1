"""The main job: inverses and a truncated SVD of real channels, judged and timed against LAPACK.

``run`` fits, checks, times, and writes ``table.txt``, ``table.md``, ``results.json`` and the pictures into a folder.
It prints nothing: ``neumatc demo`` shows what it is told.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from neumatc.demo import jobs as _jobs
from neumatc.demo import pictures, table
from neumatc.demo.check import Findings, check
from neumatc.demo.jobs import Job
from neumatc.demo.timing import RUNS, Times, machine, times
from neumatc.fitted import Fit
from neumatc.history import Event

__all__ = ["Report", "Tell", "run"]

Tell = Callable[[str, float], None]
"""Is told what is being done, and which part of the whole is done, in [0, 1]."""

PICTURES = "pictures"


@dataclass(frozen=True)
class Report:
    """What the demo found.

    Parameters
    ----------
    rows : one for each job, as in ``results.json``
    text : the table
    files : what was written
    passed : whether every certified answer was as good as promised
    """

    rows: Sequence[table.Row]
    text: str
    files: Sequence[Path]
    passed: bool


def run(
    output: str | PathLike[str], quick: bool = False, seed: int = 0, tell: Tell = lambda _text, _part: None
) -> Report:
    """Do the whole job.

    Parameters
    ----------
    output : folder for tables, results and pictures; made if it is missing
    quick : small stand-ins instead of the real jobs, done in seconds
    seed : of the fits
    tell : hears about progress
    """
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    jobs = _jobs.quick() if quick else _jobs.full()
    plan = Plan.of(jobs, tell)
    fits = [_fit(job, seed, plan) for job in jobs]
    findings = _check(jobs, fits, plan)
    clocks = [_time(job, fit, 3 if quick else RUNS, plan) for job, fit in zip(jobs, fits, strict=True)]
    plan.at(PICTURES, 0.0)
    files = pictures.draw(jobs, fits, findings, folder)
    here = machine()
    rows = [table.row(*each, seed, here) for each in zip(jobs, fits, findings, clocks, strict=True)]
    files += _write(folder, {"table.txt": table.text(rows) + "\n", "table.md": table.markdown(rows)})
    files += _write(folder, {"results.json": table.dumps(rows)})
    plan.at(PICTURES, 1.0)
    return Report(rows, table.text(rows), files, all(found.kept_promise for found in findings))


@dataclass(frozen=True)
class Plan:
    """Steps with the seconds that each is expected to take, so that a part of the whole can be told.

    Examples
    --------
    >>> seen = []
    >>> plan = Plan({"fit": 3.0, "draw": 1.0}, lambda text, part: seen.append((text, part)))
    >>> plan.at("fit", 0.5)
    >>> plan.at("draw", 0.0)
    >>> seen
    [('fit', 0.375), ('draw', 0.75)]
    """

    seconds: Mapping[str, float]
    tell: Tell

    @staticmethod
    def of(jobs: Sequence[Job], tell: Tell) -> Plan:
        """All steps in the order in which they are done."""
        steps = {f"fit {job.title}": job.weight[0] for job in jobs}
        for job in jobs:
            name = _checking(job.sharing, jobs)
            steps[name] = steps.get(name, 0.0) + job.weight[1]
        steps |= {f"time {job.title}": job.weight[2] for job in jobs}
        return Plan({**steps, PICTURES: 3.0}, tell)

    def at(self, step: str, part: float) -> None:
        """Tell that this part of this step is done."""
        names = list(self.seconds)
        before = sum(self.seconds[name] for name in names[: names.index(step)])
        self.tell(step, (before + part * self.seconds[step]) / sum(self.seconds.values()))


def _checking(sharing: str, jobs: Sequence[Job]) -> str:
    return "check " + " and ".join(job.title for job in jobs if job.sharing == sharing)


def _fit(job: Job, seed: int, plan: Plan) -> Fit:
    step = f"fit {job.title}"
    plan.at(step, 0.0)
    solved = 0

    def hear(event: Event) -> None:
        nonlocal solved
        solved += event.stage == "solve"
        plan.at(step, min(0.9, solved / (job.samples + 4)))

    return job.fit(seed, hear)


def _check(jobs: Sequence[Job], fits: Sequence[Fit], plan: Plan) -> list[Findings]:
    """Check jobs group by group; the findings come in the order of the jobs."""
    found: dict[int, Findings] = {}
    for sharing in dict.fromkeys(job.sharing for job in jobs):
        rows = [number for number, job in enumerate(jobs) if job.sharing == sharing]
        step = _checking(sharing, jobs)
        plan.at(step, 0.0)
        results = check([jobs[i] for i in rows], [fits[i] for i in rows], functools.partial(plan.at, step))
        found |= dict(zip(rows, results, strict=True))
    return [found[number] for number in range(len(jobs))]


def _time(job: Job, fit: Fit, runs: int, plan: Plan) -> Times:
    step = f"time {job.title}"
    plan.at(step, 0.0)
    return times(job, fit, runs, functools.partial(plan.at, step))


def _write(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in texts]
