"""The service's one YAML file: the settings of every part, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, HttpUrl, model_validator
from sqlalchemy import URL

from alerts.settings import AlertsSettings
from api.access.settings import AccessSettings
from api.settings import ApiSettings
from app.documents import read_document
from app.exposition.equipment import MetricsSettings
from app.history import Source
from app.judge import JudgeSettings
from app.reports.settings import ReportsSettings
from app.settings import settings_from
from app.web import ListenSettings
from collector.foreign.settings import ForeignSettings
from collector.forwarder.settings import InfluxSettings
from collector.journal.settings import JournalSettings
from collector.quarantine import QuarantineSettings
from collector.settings import MqttSourceSettings, PipelineSettings
from dashboards.pages.settings import PagesSettings
from dashboards.sla.targets import SlaSettings
from domain.suggest import allowed_words
from rules.catalogue import USUAL, load_catalogue
from rules.settings import EngineSettings

SERVICE_PASSWORD_FILE = "broker-password"  # noqa: S105 - a file's name
"""In the data folder: the service's own password at a broker that it configured."""
BROKER_CERTIFICATE_FILE = "broker.pem"
"""Beside it: the broker's certificate, without its key, as it was last issued."""


def _chosen(raw: Any) -> Any:
    if isinstance(raw, bool):
        return USUAL if raw else ()
    if not isinstance(raw, list | tuple):
        raise ValueError(f"true, false, or a list of names such as [{', '.join(USUAL)}]")  # noqa: TRY004 - pydantic reports ValueError, not TypeError
    return raw


def _known(name: str) -> str:
    if name not in load_catalogue():
        raise ValueError(allowed_words(name, load_catalogue()))
    return name


class RulesSettings(BaseModel):
    """Which rules judge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    catalogue: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], BeforeValidator(_chosen)] = USUAL
    """Which of the rule documents that come with Vitals are in force, by name (docs/catalogue.md); ``true`` stands for
    the usual ones, ``false`` for none."""
    files: tuple[Path, ...] = ()
    """Further rule files, or folders of them."""
    engine: EngineSettings = EngineSettings()


class ServiceConfig(BaseModel):
    """Everything that an operator may set; a file that sets nothing describes a whole service on one machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Path("vitals-data")
    """Folder of the journal and, unless ``database`` names another place, of the SQL database."""
    database: str | None = None
    """SQLAlchemy URL, e.g. ``postgresql+asyncpg://user@host/vitals``; by default SQLite in ``data``."""
    listen: ListenSettings = ListenSettings()
    api: ApiSettings = ApiSettings()
    access: AccessSettings = AccessSettings()
    public_url: HttpUrl | None = None
    """Where people reach the pages, e.g. ``https://vitals.example.org``: messages get a link that opens their alert."""
    pages: PagesSettings = PagesSettings()
    mqtt: MqttSourceSettings = MqttSourceSettings()
    pipeline: PipelineSettings = PipelineSettings()
    foreign: tuple[ForeignSettings, ...] = ()
    """Devices that do not speak Vitals's wire format; a topic goes to the first that listens to it."""
    quarantine: QuarantineSettings = QuarantineSettings()
    journal: JournalSettings = JournalSettings()
    influxdb: InfluxSettings | None = None
    history: Source = Source.JOURNAL
    """Where pages and API read what is older than two days: ``journal``, or ``influxdb`` where one is configured."""
    rules: RulesSettings = RulesSettings()
    judge: JudgeSettings = JudgeSettings()
    alerts: AlertsSettings = AlertsSettings()
    sla: SlaSettings = SlaSettings()
    reports: ReportsSettings = ReportsSettings()
    metrics: MetricsSettings = MetricsSettings()
    node_keys: Path | None = None
    """Folder with a file NODE.key for each node that the service may command; ``node-keys`` in ``data`` by default."""
    authority: Path | None = None
    """Folder with ``ca.pem`` and ``ca.key``, made at the first use; ``authority`` in ``data`` by default."""
    registry: Path | None = None
    """A registry document, or a folder of them, imported at every start."""

    @model_validator(mode="after")
    def _has_what_it_reads(self) -> ServiceConfig:
        if self.history is Source.INFLUXDB and self.influxdb is None:
            raise ValueError("history: influxdb needs a section influxdb")
        if self.reports.monthly and getattr(self.alerts.notifiers, "email", None) is None:
            raise ValueError("reports: monthly needs a mail server in alerts: notifiers: email")
        return self

    @property
    def key_folder(self) -> Path:
        """Return where the keys of the nodes are."""
        return self.node_keys or self.data / "node-keys"

    @property
    def authority_folder(self) -> Path:
        """Return where the certificate authority is."""
        return self.authority or self.data / "authority"

    @property
    def database_url(self) -> str | URL:
        """Return the URL of the SQL database."""
        # Made from its parts, because a folder's name may hold what separates the parts of a URL.
        return self.database or URL.create("sqlite+aiosqlite", database=str(self.data / "vitals.db"))


def read_config(path: Path, environment: Mapping[str, str]) -> ServiceConfig:
    """Return what the file says; relative paths in it are relative to its folder.

    Raises ``DocumentError`` with the line and column of every mistake.
    """
    return settings_from(read_document(path, may_be_empty=True), ServiceConfig, environment, path.parent)
