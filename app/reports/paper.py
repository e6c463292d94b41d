"""Reports as PDF, by WeasyPrint: takes seconds and a core, so it is done in a process of its own or by a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final, NoReturn

from api.languages import page_languages
from dashboards.pages.render import Frame, Pages
from dashboards.pages.words import Words, noop
from dashboards.report.month_view import month_view
from dashboards.report.sla_view import sla_view
from domain.errors import OperatorError

_KINDS: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any], Words], object]]]] = {
    "sla": ("paper_sla.html", sla_view),
    "monthly": ("paper_month.html", month_view),
}
_NEEDS_EXTRA: Final = noop("PDF needs the extra report; install it with: pip install 'vitals[report]'")
_NEEDS: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


def as_html(kind: str, data: Mapping[str, Any], language: str) -> str:
    """Return a report as the page that is printed."""
    template, view_of = _KINDS[kind]
    words = page_languages().words(language)
    return Pages({}).write(template, view_of(data, words), Frame(words=words))


def as_pdf(kind: str, data: Mapping[str, Any], language: str) -> bytes:
    """Return a report as PDF; raise ``OperatorError`` where what that takes is not installed."""
    weasyprint = require_printing()
    style = (files("dashboards.report") / "paper.css").read_text("utf-8")
    page = weasyprint.HTML(string=as_html(kind, data, language), url_fetcher=_nothing)
    found = page.write_pdf(stylesheets=[weasyprint.CSS(string=style)])
    assert isinstance(found, bytes)  # noqa: S101 - no target was given
    return found


def require_printing() -> Any:
    """Return WeasyPrint; raise ``OperatorError`` where it or its libraries are not installed."""
    try:
        import weasyprint
    except ImportError as error:
        raise OperatorError(_NEEDS_EXTRA) from error
    except OSError as error:
        raise OperatorError(f"PDF needs Debian's packages {_NEEDS}; a library is missing: {error}") from error
    return weasyprint


def _nothing(url: str) -> NoReturn:
    raise ValueError(f"a report fetches nothing, and yet it asked for {url}")
