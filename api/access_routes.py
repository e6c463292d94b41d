"""Every route by which people sign in and are looked after, put together."""

from __future__ import annotations

from fastapi import APIRouter

from api.access.desk import AccessDesk
from api.access.oidc_settings import OidcSettings
from api.access.recognise import Recogniser
from api.account_pages import AccountPages
from api.sign_in_page import SignInForm, sign_in_routes
from api.token_pages import TokenPages
from api.user_pages import UserPages
from dashboards.pages.render import Pages
from domain.errors import OperatorError


def access_routes(pages: Pages, desk: AccessDesk, recogniser: Recogniser) -> APIRouter:
    """Return the routes; raise ``OperatorError`` where single sign-on is wanted and not installed."""
    router = APIRouter(include_in_schema=False)
    oidc = desk.settings.oidc
    form = SignInForm(pages, oidc.name if oidc else "")
    router.include_router(sign_in_routes(form, desk, recogniser))
    router.include_router(AccountPages(pages, desk, recogniser).routes())
    router.include_router(UserPages(pages, desk).routes())
    router.include_router(TokenPages(pages, desk).routes())
    if oidc is not None:
        router.include_router(_oidc_routes(form, desk, oidc))
    return router


def require_oidc() -> None:
    """Raise ``OperatorError`` where what single sign-on needs is not installed."""
    try:
        import api.access.oidc  # noqa: F401 - only whether it can be
    except ModuleNotFoundError as error:
        raise OperatorError(f"access.oidc needs {error.name}: pip install 'vitals[server,oidc]'") from error


def _oidc_routes(form: SignInForm, desk: AccessDesk, settings: OidcSettings) -> APIRouter:
    require_oidc()
    from api.access.oidc import Provider
    from api.oidc_pages import oidc_routes

    return oidc_routes(form, desk, Provider(settings, desk.clock))
