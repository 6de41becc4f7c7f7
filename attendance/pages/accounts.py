"""Log in and out, change the password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import reverse_lazy
from django.utils import timezone

from attendance.addresses import client_address
from attendance.exceptions import LogInThrottledError
from attendance.pages.refusals import page, with_retry_after
from attendance.services.attempts import count_log_in
from attendance.services.tokens import revoke_tokens


class _LogInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "User name or password is wrong.",
        "inactive": "User name or password is wrong.",
    }


class LogIn(LoginView):
    """Every attempt is counted before it is judged."""

    template_name = "accounts/login.html"
    authentication_form = _LogInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Not LoginView's own redirect_authenticated_user: with ?next= pointing here
        # that ends in an exception.
        url = self.get_success_url()
        if request.user.is_authenticated and not url.startswith(request.path):
            # redirect() would take some of them for the name of a view.
            return HttpResponseRedirect(url)
        return super().get(request, *args, **kwargs)

    def get_redirect_url(self) -> str:  # type: ignore[override]
        # Pages here name paths; anything else would be relative to this one.
        url: str = super().get_redirect_url()
        return url if url.startswith("/") else ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        username = request.POST.get("username", "")
        try:
            count_log_in(username, client_address(request), timezone.now())
        except LogInThrottledError as error:
            # Neither bound nor judged.
            form = _LogInForm(request, initial={"username": username[:150]})
            context = self.get_context_data(form=form, throttled=error.detail)
            response = self.render_to_response(context)
            response.status_code = error.kind.value
            return with_retry_after(response, error)
        return super().post(request, *args, **kwargs)


class _ChangePassword(SuccessMessageMixin, PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("password")
    success_message = (
        "Your password has been changed. Your API tokens have been revoked."
    )

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "label_suffix": ""}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        revoke_tokens(form.user)
        return super().form_valid(form)


@page
def change_password(request: HttpRequest) -> HttpResponseBase:
    return _ChangePassword.as_view()(request)
