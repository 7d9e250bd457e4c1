"""Pictures: what is drawn is what was handed over, and files can be compared byte by byte."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import neumatc as nmc
from neumatc import plots

P = np.linspace(0.0, 1.0, 60)


def matrix(p):
    return np.array([[3.0 + np.sin(3 * p), p], [-p, 2.0]])


@pytest.fixture(scope="module")
def fit():
    return nmc.inv(matrix, box=(0.0, 1.0), tol=1e-6, basis="chebyshev", rng=0)


def example_track(residual=1e-9):
    return plots.Track(P, np.full(60, residual), np.full(60, 3 * residual), P[::12], 1e-8)


def test_track_measures_the_true_residual(fit):
    found = plots.track(fit, count=40)
    assert found.p[0] == 0.0
    assert found.p[-1] == 1.0
    p = found.p[17]
    expected = np.linalg.norm(matrix(p) @ fit(p) - np.eye(2)) / np.sqrt(2)
    assert found.residual[17] == pytest.approx(expected, rel=1e-3, abs=1e-15)
    assert np.all(found.bound >= found.residual)
    assert sorted(found.solved) == sorted(fit.samples.points[:, 0])
    assert found.tol == 1e-6


def test_track_builds_each_matrix_once(fit):
    before = fit.problem.meter.built
    plots.track(fit, count=40)
    assert fit.problem.meter.built == before + 40
    assert not fit.problem.meter.kept


def test_track_divides_by_the_unit(fit):
    found = plots.track(fit, count=5, unit=0.5)
    assert found.p[-1] == 2.0
    assert found.solved.max() == pytest.approx(2 * fit.samples.points.max())


def test_track_of_several_parameters_is_refused():
    plane = nmc.inv(lambda p: np.eye(2) * (2 + p[0]), [(0, 1), (0, 1)], tol=1e-2, basis="chebyshev", samples=20, rng=0)
    with pytest.raises(nmc.errors.InputError, match="needs one parameter, but the box of this fit has 2"):
        plots.track(plane)


def test_errors_draws_residual_bound_tolerance_and_solved_points():
    figure = plots.errors({"first": example_track(), "second": example_track(1e-12)}, "p in MHz")
    first, second = figure.axes
    bound, residual, tol, solved = first.lines
    np.testing.assert_array_equal(residual.get_ydata(), np.full(60, 1e-9))
    np.testing.assert_array_equal(bound.get_ydata(), np.full(60, 3 * 1e-9))
    assert set(tol.get_ydata()) == {1e-8}
    np.testing.assert_array_equal(solved.get_xdata(), P[::12])
    assert second.get_xlabel() == "p in MHz"
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["first", "second"]
    assert first.get_yscale() == "log"


def test_errors_of_zero_are_drawn_at_the_floor():
    figure = plots.errors({"exact": example_track(0.0)})
    assert set(figure.axes[0].lines[1].get_ydata()) == {plots.FLOOR}


def test_decay_counts_the_modes_of_a_stack():
    phases = np.linspace(0, 1, 30)
    stack = np.cos(phases)[:, None, None] * np.eye(3) + np.sin(phases)[:, None, None] * np.ones((3, 3))
    (axis,) = plots.decay({"two modes": {"X": stack, "X (unaligned)": stack}}).axes
    solid, dashed = axis.lines
    values = solid.get_ydata()
    assert values[0] == 1.0
    assert values[1] > 1e-3
    assert np.all(values[2:] < 1e-13)
    assert dashed.get_linestyle() == "--"
    assert dashed.get_color() == solid.get_color()


def test_entries_draws_real_parts_and_hides_empty_panels():
    panels = {name: {"a": P + 1j, "b": 2 * P} for name in ("A", "B", "C")}
    figure = plots.entries(dict.fromkeys(panels, P), panels, "p")
    assert [axis.axison for axis in figure.axes] == [True, True, True, False]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), P)


def test_spectrum_finds_a_frequency_and_keeps_the_power():
    p = np.arange(128) / 128
    values = np.stack([np.exp(2j * np.pi * 7 * p), 2 * np.exp(-2j * np.pi * 20 * p)], axis=1)
    frequency, power = plots.spectrum(p, values)
    peaks = (power[1:-1] > power[:-2]) & (power[1:-1] > power[2:]) & (power[1:-1] > 1e-6 * power.max())
    assert list(frequency[1:-1][peaks]) == [-20.0, 7.0]
    windowed = np.hanning(129)[:-1, None] * values
    assert power.sum() / 128 == pytest.approx((np.abs(windowed) ** 2).sum())


def test_jumps_of_phase_widen_the_spectrum():
    rng = np.random.default_rng(0)
    smooth = np.exp(2j * np.pi * P)[:, None, None] * np.ones((1, 4, 1)) / 2
    jumping = smooth * np.sign(rng.standard_normal(60))[:, None, None]
    figure = plots.alignment(P, {"before": jumping, "after": smooth}, "p in MHz", "delay", "µs")
    before, after = figure.axes[2:]
    assert figure.axes[2].get_xlabel() == "delay in µs"
    width = [float(axis.get_title().split("±")[1].split()[0]) for axis in (before, after)]
    assert width[0] > 5 * width[1]


def test_save_writes_both_kinds_without_a_date(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        paths = plots.save(plots.errors({"one": example_track()}), folder, "error")
        assert [path.name for path in paths] == ["error.png", "error.svg"]
    for name in ("error.png", "error.svg"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    assert (folders[0] / "error.png").read_bytes().startswith(b"\x89PNG")
    assert "<dc:date>" not in (folders[0] / "error.svg").read_text()


def test_pyplot_is_never_touched():
    code = "import sys, neumatc.plots; print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    # sys.path is handed over: the package may be found there without being installed.
    code = f"import sys; sys.path[:0] = {sys.path!r}; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_figures_are_plain_figures():
    assert isinstance(plots.errors({"one": example_track()}), Figure)
