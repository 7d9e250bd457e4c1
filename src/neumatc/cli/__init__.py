"""The command ``neumatc``: fit, evaluate, certify and inspect from a shell, and the demo.

Results go to stdout, everything else to stderr. Exit codes: 0 all is well; 1 a tolerance was not reached or a
certificate failed; 2 wrong usage or input. ``neumatc --help`` must come at once, so nothing heavy is imported here: the
names of ``neumatc`` load at their first use, NumPy inside the commands, and the demo through `_demo`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

import neumatc as nmc
from neumatc.cli.shell import Missed, Numbers, Wrong, file_to_write, polite, progress, say
from neumatc.cli.sources import Parts, box_of, matrix_of, points_of

__all__ = ["main"]

VALUES_SHOWN = 8
"""Singular values printed for each p."""

PIECE = 32
"""Points evaluated at once where results are printed and not kept."""

Command = TypeVar("Command", bound=Callable[..., None])

FIT = click.argument("fit", metavar="FIT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
P = click.option(
    "--p", "points", type=Numbers("one number per parameter"), multiple=True, metavar="P",
    help="A point, as 0.3 or, for several parameters, 0.3,2; repeatable.",
)  # fmt: skip
GRID = click.option(
    "--grid", "grids", type=Numbers("lo,hi,count", 3), multiple=True, metavar="LO,HI,COUNT",
    help="Evenly spaced points; once for each parameter.",
)  # fmt: skip
BOX = click.option(
    "--box", "box", type=Numbers("lo,hi", 2), multiple=True, metavar="LO,HI",
    help="Range of a parameter; once for each. A table has its own range.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(nmc.__version__, prog_name="neumatc")
def main() -> None:
    """Matrix operations over parameters: solve exactly at a few points, answer anywhere, with a certificate."""


@main.command()
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default="demo-output", show_default=True,
              help="Folder for tables, results and pictures.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Small stand-ins, done in seconds.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the fits.")
@polite
def demo(output: Path, quick: bool, seed: int) -> None:
    """Run the main job on real 5G channels and compare it with LAPACK.

    Everything runs on one thread unless the environment variable OMP_NUM_THREADS says otherwise.
    """
    run = _demo().run
    with progress() as tell:
        report = run(output, quick=quick, seed=seed, tell=tell)
    click.echo(report.text)
    say(f"Wrote {', '.join(path.name for path in report.files)} to {output}/")
    if not report.passed:
        raise Missed("A certified answer missed its tolerance: see certified_worst_residual in results.json.")


def _demo() -> Any:
    """Load the demo when it is asked for; it takes torch and matplotlib along."""
    # Before torch and NumPy look at it. Threads that wait for each other in small products make a job many times slower
    # as soon as anything else runs on the machine; and a comparison per core is the one that carries over.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return importlib.import_module("neumatc.demo")
    except ModuleNotFoundError as cause:
        raise Wrong(f"The demo needs {cause.name}. Install neumatc[cli,plots].") from cause


@main.command("fit")
@click.argument("source")
@click.option("--operation", type=click.Choice(["inv", "svd"]), required=True, help="What to learn.")
@click.option("--rank", type=int, help="Number of singular triplets, for svd.")
@BOX
@click.option("--tol", type=float, help="Relative residual aimed at.  [default: 1e-8; 1e-4 in single precision]")
@click.option("--samples", type=int, help="Most exact solves.  [default: 96; 256 for several parameters]")
@click.option("--basis", default="auto", show_default=True, help="auto, sine, chebyshev, rational or spline.")
@click.option("--seed", type=click.IntRange(min=0), help="For a fit that can be repeated bit for bit.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, callback=file_to_write,
              help="File to write.")  # fmt: skip
@polite
def fit_command(
    source: str, operation: str, rank: int | None, box: Parts, seed: int | None, output: Path, **options: Any
) -> None:
    """Fit the matrices of SOURCE and save the map.

    SOURCE is a file .npz with arrays p (m,) or (m, D) and A (m, n1, n2), or module:function, where the function takes
    one p and returns a matrix; the module may lie in the current directory.
    """
    if (rank is None) == (operation == "svd"):
        raise click.UsageError("--rank belongs to --operation svd, which needs it.")
    matrix = matrix_of(source)
    options |= {"rng": seed, "progress": True if sys.stderr.isatty() else None}
    where = box_of(matrix, box)
    fitted = nmc.inv(matrix, where, **options) if rank is None else nmc.svd(matrix, where, rank, **options)
    fitted.save(output)
    click.echo(repr(fitted))
    say(f"Wrote {output} ({output.stat().st_size / 1e6:.1f} MB)")
    if fitted.status != "converged":
        raise click.exceptions.Exit(Missed.exit_code)  # a warning has said why


@main.command("eval")
@FIT
@P
@GRID
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), callback=file_to_write,
              help="Write p and the results as .npz.")  # fmt: skip
@polite
def eval_command(fit: Path, points: Parts, grids: Parts, output: Path | None) -> None:
    """Evaluate a saved FIT.

    Prints a summary of each result, or writes all numbers into a file.
    """
    loaded = nmc.load(fit)
    p = points_of(loaded, points, grids)
    if output is not None:
        _write(loaded, p, output)
        return
    for start in range(0, len(p), PIECE):
        some = p[start : start + PIECE]
        arrays = _named(loaded, loaded(some))
        for row, where in enumerate(loaded.box.points(some)[0]):
            shown = "  ".join(_summary(name, X[row]) for name, X in arrays.items())
            click.echo(f"{loaded.box.describe(where)}  {shown}")


def _write(loaded: nmc.Fit, p: Any, output: Path) -> None:
    import numpy as np

    arrays = _named(loaded, loaded(p))
    with output.open("wb") as file:  # given a name, np.savez would append .npz to it
        np.savez(file, p=p, **arrays)
    say(f"Wrote p, {', '.join(arrays)} at {len(p)} points to {output}")


def _named(loaded: nmc.Fit, value: Any) -> dict[str, Any]:
    """Results by name: fields of a named tuple, or the one array."""
    if isinstance(value, tuple):
        return dict(zip(value._fields, value, strict=True))  # type: ignore[attr-defined]
    return {loaded.surrogate.layout.parts[0].name: value}


def _summary(name: str, X: Any) -> str:
    if X.ndim > 1:
        return f"‖{name}‖ = {float((abs(X) ** 2).sum()) ** 0.5:.6g} ({' × '.join(map(str, X.shape))})"
    more = ", …" if len(X) > VALUES_SHOWN else ""
    return f"{name} = [{', '.join(f'{x:.6g}' for x in X[:VALUES_SHOWN])}{more}]"


@main.command()
@FIT
@click.option("--matrix", "source", required=True, metavar="SOURCE", help="The matrices that were fitted, as for fit.")
@P
@GRID
@click.option("--tol", type=float, help="Relative residual to pass.  [default: that of the fit]")
@polite
def certify(fit: Path, source: str, points: Parts, grids: Parts, tol: float | None) -> None:
    """Check answers of a saved FIT against the true matrices.

    Nothing is solved. A table is checked at all of its points when none are named. The exit code is 1 when any point
    fails.
    """
    loaded = nmc.load(fit, matrix=matrix_of(source))
    table = loaded.problem_or_raise.tabulated
    p = points_of(loaded, points, grids) if table is None or points or grids else table
    p = p[:, 0] if p.ndim > 1 and loaded.box.dimension == 1 else p
    found = loaded.certify(p, tol)
    for where, residual, bound, passed in zip(
        loaded.box.points(p)[0], found.residual, found.bound, found.passed, strict=True
    ):
        verdict = "passed" if passed else "FAILED"
        click.echo(f"{loaded.box.describe(where)}  residual {residual:.1e}  bound {bound:.1e}  {verdict}")
    click.echo(
        f"{int(found.passed.sum())} of {len(found.passed)} passed at tol {found.tol:.1e}; "
        f"all bounds hold together with probability {found.confidence:g}"
    )
    if found.theorem:
        click.echo(f"residual and error: {found.theorem}")
    if not found.passed.all():
        raise click.exceptions.Exit(Missed.exit_code)


@main.command()
@FIT
@polite
def info(fit: Path) -> None:
    """Show what a saved FIT is and how it came about."""
    loaded = nmc.load(fit)
    click.echo(repr(loaded))
    click.echo("\nhistory")
    for event in loaded.history:
        click.echo(f"  {event}")
