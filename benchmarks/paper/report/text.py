"""What the report says in words of its own: nothing here depends on the rows."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ABOUT", "CURVES", "FIGURES", "NOTES", "PARTS", "TITLES", "WHY"]

ABOUT = (
    "This page is written by `python -m benchmarks report` from the rows in `benchmarks/results/paper.jsonl` and "
    "from nothing else; no figure of ours is typed. It sets what the paper (arXiv:2511.22934) prints beside what "
    "this library gives on the same work, in two ways. **Our joint mode** is the paper's method as it is written: "
    "latent tensors and network trained together, on data and on the equations of the operation. **Our default "
    "mode** takes the same exact solves, finds the latent tensors by linear algebra, and fits what is left to be "
    "learnt by least squares.",
    "**Errors.** The RelErr of the paper is **squared**: the mean over the test points of the squared relative "
    "error. It stands here in the lines called squared error; plain relative errors are their roots (3% is 9×10⁻⁴ "
    "when squared). For the inverse the paper squares the residual `A X - I`, we square the error `X - exact` "
    "against the exact inverse; for an SVD both compare the product with a reference: the paper with A itself, we "
    "with the best approximation of that rank, which no method can beat. Means are over data sets, and the worst "
    "data set stands beside them.",
    "**Times** are milliseconds of one answer, median and quartiles of warm calls, taken in turns with NumPy in one "
    "process on one data set. The paper does not say whether its own are of single answers or of batches, so they "
    "stand in both lines. Its times are from another machine: compare ratios. **GFLOPs** are counted from shapes. A "
    "check that was missed, or a ratio below the paper's, is marked LOSS.",
)
"""On top of the page."""

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "table1": "Table 1: inverse, n = 1024",
        "table2": "Table 2: SVD, n = 512, rank 20",
        "table3": "Table 3: ray-traced channels, n = 256",
        "table4": "Table 4: larger matrices on CPU and GPU",
        "table5": "Table 5: everything counted, on a GPU",
        "table6": "Table 6: inverse in two parameters, n = 128",
        "table7": "Table 7: QR, Cholesky, exponential, n = 512",
        "table8": "Table 8: random and adaptive collocation",
        "table9": "Table 9: activation functions",
        "table11": "Table 11: sparse systems, n ≈ 100,000",
        "table12": "Table 12: controlled parametric rank",
        "table13": "Table 13: beside batched cuSOLVER",
        "figure2": "Figures 2, 6 and 7: decay of singular values along p",
        "figure3": "Figure 3: entries along p",
        "figure4": "Figure 4: time against n, and against the number of points",
        "figure5": "Figure 5: hyperparameters of joint training",
    }
)
"""Of sections. The paper's figure 1 is a sketch, its table 10 a list of symbols."""

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "table3 inverse": "Inverse of the regularised Gram matrix",
        "table3 SVD": "Leading triplets of the channel",
        "table7 qr": "QR",
        "table7 cholesky": "Cholesky",
        "table7 expm": "Exponential",
        "table12 10": "10 modes",
        "table12 20": "20 modes",
        "table12 30": "30 modes",
    }
)
"""Of sections that hold several tables."""

CURVES: Mapping[str, str] = MappingProxyType(
    {"A": "A(p)", "inverse": "A⁻¹", "U": "U", "core": "S", "V": "V", "U sorted": "U as LAPACK returns it"}
)
"""Of what is stacked or drawn along p, by its name in the rows."""

NOTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "table1": (
            "NNI, COI, ZNNI and Newton–Schulz take seconds for an answer at this size, so they give fewer answers on "
            "fewer data sets; the last column tells.",
        ),
        "table3": (
            "**Why the channel has no inverse, and what is inverted instead.** A channel is a sum over propagation "
            "paths, one matrix of rank one for each. A few strong paths carry nearly all of the energy, and many "
            "weak ones leave from and arrive at almost the same angles, which the arrays cannot tell apart. So the "
            "singular values fall over many orders of magnitude, and the smallest are rounding errors of the "
            "largest: to double precision `H(p)` is singular at every p, and what a routine calls its inverse is "
            "noise. No receiver computes it. What receivers do invert is the Gram matrix with the noise power on its "
            "diagonal, `Hᴴ H + σ² I` (MMSE detection, regularised zero-forcing): the inverse here is of that matrix, "
            "at a signal-to-noise ratio of 20 dB. The paper inverts the real part of its channels and does not say "
            "how they came to be invertible, so its figures belong to another matrix of the same kind. Ours are "
            "complex throughout. The SVD is of the channel itself.",
        ),
        "table5": ("All in: exact solves, building the latent tensors, fitting, and every answer of the batch.",),
        "table8": (
            "Both ways begin with the same number of collocation points and add as many in each round; adaptive "
            "sampling adds those where the equations fail most, random sampling adds any. The default mode has no "
            "collocation points to choose, so it has no column.",
        ),
        "table9": (
            "The default mode fits the last layer of a fixed basis by least squares and chooses the basis itself, so "
            "it has no column. ω is the same for all activations.",
        ),
        "table11": (
            "Errors here are relative residuals `‖A x - b‖ / ‖b‖`, in the paper too, and **not** squared. The "
            "iterative methods solve neighbouring systems one after the other, each from the solution before; their "
            "time for all systems is extrapolated from those they solved. Both of our ways use derivatives of the 20 "
            "solutions along p, which cost a triangular solve each; the default way has the coefficients from the "
            "equations, joint training from the network.",
        ),
        "table12": (
            "The rank asked for is larger than that of randomised SVD, as in the paper: it is given a rank of 85 of "
            "100. The paper varies the number of modes among 5, 10 and 15 in its text and 10, 20 and 30 in its "
            "table.",
        ),
        "figure2": (
            "Each curve is the singular values of one matrix: results at equidistant p, flattened, stacked as rows. "
            "A steep fall means that a few latent slices span them all, whatever p. The last curve of figure 7 is what "
            "LAPACK returns, without a smooth choice of order and phase.",
        ),
        "figure3": (
            "Real parts of a few entries, picked at random. Singular vectors are unique but for phase and order; "
            "LAPACK chooses both anew at every p, and the alignment undoes it.",
        ),
        "figure5": (
            "**Units of ω.** The paper takes ω between 0.05 and 0.25 and does not say in which units p is counted. "
            "Were p to run from -1 to 1, such a network would begin almost linear and training would stall, so the "
            "values cannot be meant literally. Here ω is the bandwidth of the first layer in radians per unit of x, "
            "where x in [-1, 1] is p mapped from its box: 2 to 15 cover what the paper's range covers in some other "
            "unit. L, W, d and λ are the paper's values.",
        ),
    }
)
"""Explanations, by section."""

WHY: Mapping[str, str] = MappingProxyType(
    {
        "table9": "The matrices are not the paper's: 2,000 ray-traced paths over 20 MHz, regularised, complex, with a "
        "condition number near 2e4, where the paper inverts real parts of channels that it does not describe further. "
        "A network of sigmoids or of kinks cannot follow the forty or so directions of this inverse from 40 samples; "
        "the sine can, and is the best here as it is there.",
        "table11": "The paper's ratio rests on a baseline of 2.6 seconds a system; Krylov recycling as its authors "
        "give it takes a sixth of that here, and SciPy's a twentieth. And 200 solutions of 100,000 numbers are 160 MB, "
        "which this machine cannot write in the 8 ms of the paper: the product with the latent tensor takes longer.",
        "table12": "Accuracy: 20 results span at most 20 directions. With 20 or 30 modes in U(p), S(p) and V(p) the "
        "singular vectors of their product have more, and joint training can draw curves inside that span only. The "
        "table gives the error of the exact factors projected on it (in the norm of the factors, so that another point "
        "of the span may be a little better for their product): that is where joint training ends. The paper does not "
        "say how it draws its coefficients. The default way leaves the span: it refines its predictions by power steps "
        "with A(p) and decomposes them again. Time: the paper's RSVD takes 235 ms at n = 512, four times as long as "
        "its own full SVD in table 2, which is what its ratio rests on; scikit-learn's RSVD on this machine is a "
        "fraction of a full SVD, as it should be. An answer sorts and settles U, S and V, which at rank 100 takes "
        "twenty times as long as the map itself; the paper's answer is the three factors, and so is the line of that "
        "name here.",
    }
)
"""Reasons for losses, by section; shown only where there is a loss."""

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "tradeoff": "Time and squared error of every method; lower left is better. Squares are batches, the dashed "
        "line is NumPy, the dotted one the squared error of the paper's method. Hollow: its own figures.",
        "figure2": "Figure 2: matrices and results, for synthetic families and for the real channel.",
        "figure6": "Figure 6: matrices and their inverses.",
        "figure7": "Figure 7: matrices and their factors.",
        "figure3 real": "Figure 3: a real channel, its regularised inverse, and its factors.",
        "figure3 synthetic": "The same for the synthetic families.",
        "figure4": "Left: one inverse. Right: many inverses of n = 512, all of them. Bars are quartiles.",
        "figure5": "Dots are seeds, lines their means; the dashed line is the 10⁻² below which the paper stays.",
        "table8": "Every dot is one seed; ticks are means, diamonds the paper's figures.",
        "table9": "Bars are means over seeds, dots the seeds, diamonds the paper's figures.",
    }
)
"""Captions."""
