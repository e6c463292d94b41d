"""Looking up people in the directory."""

from __future__ import annotations

from domain.directory import Directory
from domain.people import Contact
from domain.places import Facility

PLACE = Facility("f", "F", "Uganda", "Western", "Kasese")


def test_people_come_in_the_order_of_registration() -> None:
    """Those of the facility, its district, its region and of everything, whichever was registered first; no others."""
    everywhere = Contact("everywhere", "E")
    technician = Contact("technician", "T", facilities=("other", "f"))
    neighbour = Contact("neighbour", "N", facilities=("other",), district="Kasese")
    region = Contact("region", "R", region="Western")
    elsewhere = Contact("elsewhere", "X", region="Northern")
    district = Contact("district", "D", district="Kasese", region="mistaken")
    directory = Directory(facilities=[PLACE], contacts=[everywhere, technician, neighbour, region, elsewhere, district])
    assert directory.contacts_for(PLACE) == (everywhere, technician, region, district)
