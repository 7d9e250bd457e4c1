"""Families from physics, engineering and statistics, each with published numbers to be checked against.

Where the data of a family lies in a file, the file and its licence stand in ``neumatc/gallery/data``.
"""

from neumatc.gallery.real.advection import AdvectionDiffusionReaction as AdvectionDiffusionReaction
from neumatc.gallery.real.antennas import DipoleArray as DipoleArray
from neumatc.gallery.real.bands import Haldane as Haldane
from neumatc.gallery.real.bands import KaneMele as KaneMele
from neumatc.gallery.real.cdl import CDLChannel as CDLChannel
from neumatc.gallery.real.codon import CodonRates as CodonRates
from neumatc.gallery.real.covariance import MaternCovariance as MaternCovariance
from neumatc.gallery.real.graphene import TwistedBilayer as TwistedBilayer
from neumatc.gallery.real.helmholtz import Helmholtz as Helmholtz
from neumatc.gallery.real.photonic import PhotonicCrystal as PhotonicCrystal
from neumatc.gallery.real.rotor import CampbellMatrix as CampbellMatrix
from neumatc.gallery.real.rotor import RotorStiffness as RotorStiffness
from neumatc.gallery.real.semiconductor import Zincblende as Zincblende
from neumatc.gallery.real.thermal import ThermalBlock as ThermalBlock

__all__ = [
    "AdvectionDiffusionReaction",
    "CDLChannel",
    "CampbellMatrix",
    "CodonRates",
    "DipoleArray",
    "Haldane",
    "Helmholtz",
    "KaneMele",
    "MaternCovariance",
    "PhotonicCrystal",
    "RotorStiffness",
    "ThermalBlock",
    "TwistedBilayer",
    "Zincblende",
]
