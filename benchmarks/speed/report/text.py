"""What a reader must know before the figures."""

from benchmarks.speed.clock import REST

__all__ = ["ABOUT", "TITLE"]

TITLE = "Speed, measured"

ABOUT = (
    "This page is written by `python -m benchmarks report` from the rows in `benchmarks/results/speed.jsonl`; "
    "nothing in it is typed. `python -m benchmarks run speed-one` and so on measures them again.",
    "Seconds of two runs cannot be compared: clocks change, and neighbours share memory and caches. So "
    "everything that is divided by something else was timed **in turns with it, in one process**: at least 20 "
    "turns, fewer only where a call takes more than 0.2 s, in another order each turn, each short call right "
    "after unmeasured ones of its own, at least three and for 5 ms. A figure is the median of the quotients, with "
    "quartiles. Differences of microseconds are treated alike.",
    "**Threads**: every part was measured twice, with the two threads that two cores have, and with one, which is "
    "told in the name of the row. NumPy, SciPy and torch bring a pool of threads each, and idle threads turn round "
    "and round for some 100 ms on the cores that the next library needs; so with two threads every measurement comes "
    f"after {1e3 * REST:.0f} ms of sleep. The whole fit is not spared: it has to avoid such changes by itself, and "
    "does. How costs grow with n is measured with one thread.",
    "**Memory**: the host of a virtual machine brings memory when it is touched for the first time, and takes back "
    "what was free for some seconds; that may take as long as a fit, while LAPACK alone uses a few matrices again and "
    "again. So the memory of a fit is touched and given back right before it is timed. The time of a fit in fresh "
    "memory stands beside it.",
    "**Best LAPACK** is the fastest of the calls of NumPy, SciPy (OpenBLAS) and torch (MKL) for this operation "
    "and size, chosen by a few turns just before; which one it was stands in the row. For the square root of a "
    "positive definite matrix that includes the way by eigenvalues. Matrices A(p) are ready before its clock "
    "starts, and results go to memory of its own, as these calls have no other form for all operations.",
    "**Answers** are written to memory of the caller, `f(p, out=X)`. Alone they are limited by reading the "
    "latent tensor C, d numbers for each number of the result; in a batch by writing the results, or by the "
    "products. These limits are measured in the same turns: a sum or a dot product over C, filling the memory of "
    "the results by the faster of NumPy and torch, and a product of two dense matrices. An array that fits into "
    "a cache is read faster than one that does not, so that rates belong to a size.",
    "**Every row shows the true error** of the answers that were timed: the worst relative Frobenius error of "
    "all factors against LAPACK in double precision, over 100 points where n <= 256, and at least 20 for larger "
    "matrices. No target is met by answers that are less accurate than those of the same row.",
    "The **model** of a query is `seconds = call + Φ + max(8 N d / read, 8 N / fill, 2 N d / product)` for one point "
    "and N numbers to an answer, and `call + Φ + 8 N d / read + max(8 N B / fill, 2 N d B / product)` for B points, "
    "where C is brought into the cache before it is used: what a call takes beside its Φ where matrices are 4 x 4, the "
    "time of Φ at these points, and the three rates, all measured in the turns of the answer, the last of them by the "
    "same product on columns of C that stay in the cache. Beside it stands what comes out where all terms overlap.",
    "The **families**: `A_0 + cos(3p) A_1 + sin(2p) A_2` with random matrices on [0, 1], whose results a dozen "
    "or two slices span to rounding; for singular values and eigenvectors the same with values that keep apart. "
    "Such families are the best case of the method. The offline part takes the paper's synthetic inverse and a "
    "truncated SVD, which need more slices.",
)
"""Paragraphs."""
