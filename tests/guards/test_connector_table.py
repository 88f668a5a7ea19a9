"""What the README says of insurers is what the product knows of them."""

import subprocess
import sys
from pathlib import Path

from insureflow.connectors.insurers.known import KNOWN, Way, find_known
from insureflow.connectors.insurers.registry import CONNECTORS

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_the_readme_is_in_step() -> None:
    script = ROOT / "scripts" / "write_connector_table.py"
    checked = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "in step\n")


def test_every_insurer_has_a_way_and_every_connector_an_insurer() -> None:
    assert len({insurer.key for insurer in KNOWN}) == len(KNOWN)
    assert {insurer.connector for insurer in KNOWN} == set(CONNECTORS)
    for insurer in KNOWN:
        assert insurer.ways
        assert insurer.missing
        assert insurer.source
        assert bool(insurer.operations) == (Way.INTERFACE in insurer.ways), insurer.key


def test_an_insurer_is_known_by_its_name() -> None:
    assert [
        getattr(find_known(name), "key", None) for name in ("Atradius Crédito y Caución", "allianz_trade", "Coface Nordic", "Nobody", " ")
    ] == [
        "atradius",
        "allianz_trade",
        "coface",
        None,
        None,
    ]
