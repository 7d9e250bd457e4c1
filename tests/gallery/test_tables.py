"""What every entry of the tables must be, whatever family it holds."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from neumatc.gallery import GALLERY, INVERSE, SVD

SMALL = [name for name, exhibit in GALLERY.items() if exhibit.size == "small"]


def somewhere(family, share):
    box = np.asarray(family.box, dtype=float).reshape(-1, 2)
    p = box[:, 0] + share * (box[:, 1] - box[:, 0])
    return float(p[0]) if len(p) == 1 else p


def test_tables_are_complete_and_disjoint():
    assert set(GALLERY) == set(INVERSE) | set(SVD)
    assert len(GALLERY) == len(INVERSE) + len(SVD)
    assert {exhibit.operation for exhibit in INVERSE.values()} == {"inv"}
    assert {exhibit.operation for exhibit in SVD.values()} == {"svd"}


@pytest.mark.parametrize("name", GALLERY)
def test_every_entry_is_a_finite_smooth_family(name):
    exhibit = GALLERY[name]
    family = exhibit()
    assert family.smooth
    if isinstance(family.box, list):
        assert len(family.box) > 1
    else:
        assert len(family.box) == 2
    for share in (0.0, 1.0) if exhibit.size == "small" else (0.5,):
        A = family(somewhere(family, share))
        assert A.ndim == 2
        assert np.isfinite(A).all()
        assert A.dtype in (np.float64, np.complex128)
    if exhibit.operation == "inv":
        assert A.shape[0] == A.shape[1]
        assert exhibit.rank is None
    else:
        assert 0 < exhibit.rank < min(A.shape)


@pytest.mark.parametrize("name", SMALL)
def test_equal_constructors_give_equal_bits(name):
    one, two = GALLERY[name](), GALLERY[name]()
    p = somewhere(one, 0.37)
    assert one == two
    assert np.array_equal(one(p), two(p))
    # A process pool sends families by pickle; what has been prepared may go with them.
    assert np.array_equal(pickle.loads(pickle.dumps(one))(p), one(p))


def test_names_are_distinct():
    names = [exhibit().name for exhibit in GALLERY.values()]
    # Channels are shown twice: as themselves and inside a Gram matrix of another name.
    assert len(set(names)) == len(names)


def test_import_reads_no_data():
    code = "import neumatc.gallery, neumatc.gallery.paths as p; print(p.load.cache_info().currsize)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "0"
