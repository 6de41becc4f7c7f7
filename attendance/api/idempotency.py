"""The `Idempotency-Key` header: a POST that may safely be sent again."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attendance.exceptions import MalformedKeyError
from attendance.models import IdempotentRequest, User
from attendance.services.idempotency import claimed, keep_answer

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
# Those of an answer that say more than its body does.
KEPT_HEADERS = ("Content-Type", "Operation-Id", "Retry-After")
# About the moment, not about the request: tried again, it may be answered otherwise.
PASSING = (401, 429)

_KEY = re.compile(r"[ -~]{1,255}")

Handler = Callable[..., Any]


class IdempotentPosts(APIView):
    """
    For all POST handlers of a view: with a key, each request is answered once.

    The same request with the same key gets the first answer again. A refusal is an
    answer too; 401, 429 and faults are not kept, and may be tried again.
    """

    # Where the URL has one.
    post: Handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        key = request.headers.get(KEY_HEADER) if request.method == "POST" else None
        # Before authentication: with a cookie that looks for a CSRF token in the body,
        # and reads the stream to its end.
        body: bytes = b"" if key is None else request.body
        super().initial(request, *args, **kwargs)
        if key is None or not hasattr(self, "post"):
            return
        fingerprint = hashlib.sha256(
            f"{request.method} {request.get_full_path()}\n".encode() + body
        ).hexdigest()
        self.post = functools.partial(self._answer_once, self.post, key, fingerprint)

    def _answer_once(
        self,
        handler: Handler,
        key: str,
        fingerprint: str,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse:
        # White space around it is no part of a header's value.
        key = key.strip(" \t")
        if not _KEY.fullmatch(key):
            raise MalformedKeyError
        user = cast(User, request.user)
        with claimed(user=user, key=key, fingerprint=fingerprint) as claim:
            if claim.is_answered:
                return _replay(claim)
            response = self._final_answer(handler, request, *args, **kwargs)
            status = response.status_code
            if status < 500 and status not in PASSING:
                keep_answer(
                    claim,
                    status=status,
                    headers={n: response[n] for n in KEPT_HEADERS if n in response},
                    body=response.content.decode(),
                )
            return response

    def _final_answer(
        self, handler: Handler, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        """
        The handler's answer, as it will be sent.

        A refusal becomes an answer here already: leaving the transaction as an
        exception it would undo what must survive it, a counted attempt for one. What
        is no refusal is raised again, and does undo all.
        """
        try:
            response = handler(request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        response = self.finalize_response(request, response, *args, **kwargs)
        return response.render()


def _replay(claim: IdempotentRequest) -> HttpResponse:
    response = HttpResponse(claim.body, status=claim.status, headers=claim.headers)
    response[REPLAYED_HEADER] = "true"
    return response
