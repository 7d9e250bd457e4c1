"""The family of errors: what each one is, and how a misspelt name is answered."""

import pickle

import pytest

from neumatc import errors

BUILT_IN = {
    "InputError": ValueError,
    "NonFiniteError": ValueError,
    "OutsideBoxError": ValueError,
    "UndefinedError": ValueError,
    "RankError": ValueError,
    "ExactSolveError": RuntimeError,
    "SingularError": RuntimeError,
    "GaugeError": RuntimeError,
    "TrainingError": RuntimeError,
    "CertificateError": RuntimeError,
    "FormatError": ValueError,
}


@pytest.mark.parametrize(("name", "built_in"), BUILT_IN.items())
def test_an_error_is_ours_and_also_the_built_in(name: str, built_in: type[Exception]) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.NeuMatCError)
    assert issubclass(error, built_in)


@pytest.mark.parametrize(
    ("special", "general"),
    [
        (errors.NonFiniteError, errors.InputError),
        (errors.OutsideBoxError, errors.InputError),
        (errors.RankError, errors.InputError),
        (errors.UndefinedError, errors.InputError),
        (errors.SingularError, errors.ExactSolveError),
        (errors.AccuracyWarning, UserWarning),
        (errors.PerformanceWarning, UserWarning),
    ],
)
def test_special_errors_are_caught_by_the_general_one(special: type, general: type) -> None:
    assert issubclass(special, general)


def test_all_lists_every_public_name() -> None:
    public = {name for name, value in vars(errors).items() if getattr(value, "__module__", "") == errors.__name__}
    assert public == set(errors.__all__)


def test_unknown_lists_the_known_names_and_suggests_the_nearest() -> None:
    error = errors.unknown("basis", "chebychev", ["sine", "rational", "chebyshev"])
    assert isinstance(error, errors.InputError)
    assert str(error) == (
        "unknown basis 'chebychev'; known: 'chebyshev', 'rational', 'sine'. Did you mean 'chebyshev'?"
    )


def test_unknown_suggests_nothing_when_nothing_is_near() -> None:
    assert str(errors.unknown("basis", "zzz", iter(["sine"]))) == "unknown basis 'zzz'; known: 'sine'."


def test_an_error_survives_the_way_back_from_a_worker_process() -> None:
    error = pickle.loads(pickle.dumps(errors.OutsideBoxError("p must lie in the box")))
    assert isinstance(error, errors.OutsideBoxError)
    assert str(error) == "p must lie in the box"
