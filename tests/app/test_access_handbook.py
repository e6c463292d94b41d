"""The settings in docs/access.md are what the service understands."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from app.config import ServiceConfig, read_config
from domain.access import Role
from domain.places import Place

HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "access.md"


def test_every_example_is_allowed(tmp_path: Path) -> None:
    """The first says the defaults; the single sign-on gives the roles that stand there."""
    blocks = re.findall(r"```yaml\n(access:.*?)```", HANDBOOK.read_text("utf-8"), re.DOTALL)
    configs = []
    for block in blocks:
        (tmp_path / "vitals.yaml").write_text(block, "utf-8")
        configs.append(read_config(tmp_path / "vitals.yaml", {"VITALS_OIDC_SECRET": "s"}))
    plain, single = configs
    assert plain.access == ServiceConfig().access
    assert single.access.oidc is not None
    assert {each.grant.role for each in single.access.oidc.roles} == {Role.MANAGER, Role.VIEWER}
    assert Place(district="Kasese") in {each.grant.place for each in single.access.oidc.roles}


def test_every_role_is_explained() -> None:
    """In the table, from the least to the most."""
    rows = re.findall(r"^\| (\w+) \| .+ \|$", HANDBOOK.read_text("utf-8"), re.MULTILINE)
    assert rows == ["role", *(role.word for role in Role)]


def test_the_scrape_example_is_yaml() -> None:
    """With the token in a file, where Prometheus reads it."""
    (block,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", HANDBOOK.read_text("utf-8"), re.DOTALL)
    assert yaml.safe_load(block)["scrape_configs"][0]["authorization"]["credentials_file"]
