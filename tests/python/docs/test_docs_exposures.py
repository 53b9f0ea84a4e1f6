"""Every use of the warehouse reads existing relations and is permitted by an agreement."""

from __future__ import annotations

from typing import Any

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.warehouse.connection import connect

PUBLISHED = ("facts", "identity", "marts", "quality")


def agreement_problems(exposures: list[dict[str, Any]]) -> list[str]:
    """Agreements of an exposure that do not permit it."""
    contracts = load_contracts()
    problems = []
    for exposure in exposures:
        agreement = exposure["config"]["meta"]["agreement"]
        for name in agreement["contracts"]:
            contract = contracts.get(name)
            if contract is None or contract.agreement is None:
                problems.append(f"{exposure['name']}: {name} is no contract with an agreement")
            elif agreement["purpose"] not in contract.agreement.purposes:
                problems.append(f"{exposure['name']}: not a purpose of {name}")
    return problems


def test_every_exposure_is_permitted_by_its_agreement(manifest: dict[str, Any]) -> None:
    exposures = list(manifest["exposures"].values())
    assert {exposure["name"] for exposure in exposures} >= {
        "outcome_gaps_dashboard",
        "district_scorecards",
        "caseworker_extract",
    }
    assert agreement_problems(exposures) == []
    for exposure in exposures:
        meta = exposure["config"]["meta"]
        assert meta["audience"], exposure["name"]
        assert meta["agreement"]["legal_basis"], exposure["name"]


def test_an_agreement_without_the_purpose_is_reported() -> None:
    def exposure(contract: str, purpose: str) -> dict[str, Any]:
        agreement = {"contracts": [contract], "purpose": purpose, "legal_basis": "law"}
        return {"name": "screen", "config": {"meta": {"agreement": agreement}}}

    assert agreement_problems(
        [
            exposure("pittsburgh", "service_coordination"),
            exposure("clairton", "service_coordination"),
            exposure("nowhere", "audit_and_evaluation"),
            exposure("dhs", "audit_and_evaluation"),
        ]
    ) == [
        "screen: not a purpose of clairton",
        "screen: nowhere is no contract with an agreement",
        "screen: dhs is no contract with an agreement",
    ]


def test_every_public_relation_has_a_use(manifest: dict[str, Any]) -> None:
    def is_used(key: str) -> bool:
        return any(not child.startswith(("test.", "unit_test.")) for child in children[key])

    children = manifest["child_map"]
    unused = [
        node["name"]
        for key, node in manifest["nodes"].items()
        if node.get("access") == "public" and not node["time_spine"] and not is_used(key)
    ]

    assert unused == []


def test_every_relation_of_an_exposure_exists(
    manifest: dict[str, Any], built_demo: Settings
) -> None:
    read = {node for e in manifest["exposures"].values() for node in e["depends_on"]["nodes"]}
    nodes = [manifest["nodes"][node] for node in sorted(read)]
    assert [node["name"] for node in nodes if node["fqn"][1] not in PUBLISHED] == []
    with connect(built_demo) as connection:
        missing = [
            node["name"]
            for node in nodes
            if connection.execute(
                "select to_regclass(%s)", [f"{node['schema']}.{node['alias']}"]
            ).fetchone()
            == (None,)
        ]
    assert missing == []
