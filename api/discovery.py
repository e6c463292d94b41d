"""Where else Prometheus finds metrics: the nodes that have an exporter of their own."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.visit import Viewing
from domain.directory import Directory
from domain.places import Node


class TargetGroup(BaseModel):
    """What Prometheus' HTTP service discovery (http_sd) wants of one node."""

    targets: list[str] = Field(description="Where the node's exporter answers: host and port")
    labels: dict[str, str] = Field(description="Which node that is and where it stands, for relabelling")


def discovery_routes() -> APIRouter:
    """Return ``/sd/nodes``."""
    router = APIRouter(tags=["health"])

    @router.get("/sd/nodes", summary="Nodes with an exporter of their own, for Prometheus' http_sd")
    async def nodes(visit: Viewing) -> list[TargetGroup]:
        """Return the nodes in sight of which the registry says where their own metrics are."""
        directory = visit.services.directory()
        return [_group(node, directory) for node in directory.nodes.values() if node.metrics]

    return router


def _group(node: Node, directory: Directory) -> TargetGroup:
    facility = directory.facilities[node.facility]
    found = {
        "node": node.id,
        "node_name": node.name,
        "facility": facility.id,
        "facility_name": facility.name,
        "country": facility.country,
        "region": facility.region,
        "district": facility.district,
    }
    return TargetGroup(targets=[node.metrics], labels={f"__meta_vitals_{name}": value for name, value in found.items()})
