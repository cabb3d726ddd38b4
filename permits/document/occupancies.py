"""What a page says of one occupancy, in the same words wherever it is said, and wherever it is checked."""

from permits.document.french import NO_BREAK, metres, number
from permits.domain.permit import PermittedOccupancy


def named(occupancy: PermittedOccupancy) -> str:
    """Return what stands there, how many, and how heavy: « benne × 2, véhicule de 12 t »."""
    words = occupancy.label
    if occupancy.pieces > 1:
        words += f"{NO_BREAK}×{NO_BREAK}{number(occupancy.pieces)}"
    if occupancy.vehicle_tonnes is not None:
        words += f", véhicule de {number(occupancy.vehicle_tonnes)}{NO_BREAK}t"
    return words


def dimensions(occupancy: PermittedOccupancy) -> str:
    """Return the declared lengths: « 8,00 m × 1,20 m, hauteur 9,50 m »; those of the plan when none was declared."""
    length, width, height = occupancy.length_m, occupancy.width_m, occupancy.height_m
    said = []
    if length is not None and width is not None:
        said.append(f"{metres(length)}{NO_BREAK}×{NO_BREAK}{metres(width)}")
    elif length is not None:
        said.append(f"longueur {metres(length)}")
    elif width is not None:
        said.append(f"largeur {metres(width)}")
    else:
        said.append("selon le plan")
    if height is not None:
        said.append(f"hauteur {metres(height)}")
    return ", ".join(said)
