"""Check-ins, records and their history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import selectors
from attendance.api.base import APIViewSet
from attendance.api.inputs import (
    CodeCheckInInput,
    Input,
    QRCheckInInput,
    RecordFilter,
)
from attendance.api.outputs import (
    ChangeOutput,
    CheckInOutput,
    ErrorOutput,
    RecordOutput,
)
from attendance.payloads import Payload, record_payload
from attendance.services.attempts import require_check_in_budget
from attendance.services.check_in import CheckIn, check_in_by_code, check_in_by_token
from attendance.wording import check_in_message

_ANSWERS = {
    200: CheckInOutput,
    201: CheckInOutput,
    400: ErrorOutput,
    403: ErrorOutput,
    404: ErrorOutput,
    409: ErrorOutput,
    429: ErrorOutput,
}

_LOOKUPS = {
    "course": "class_session__course",
    "class_session": "class_session",
    "student": "student",
}


class CheckInViewSet(APIViewSet):
    """Students check themselves in; doing it twice is as good as once."""

    def _read(self, shape: type[Input]) -> dict[str, Any]:
        serializer = shape(data=self.request.data)
        if not serializer.is_valid():
            # Who is locked out learns that first, whatever was sent.
            require_check_in_budget(self.user, timezone.now())
            serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _answer(self, outcome: CheckIn) -> Response:
        return Response(
            {
                "already_checked_in": outcome.already_checked_in,
                "message": check_in_message(
                    outcome.record, already_checked_in=outcome.already_checked_in
                ),
                "record": outcome.record,
            },
            status=status.HTTP_200_OK
            if outcome.already_checked_in
            else status.HTTP_201_CREATED,
        )

    @extend_schema(request=QRCheckInInput, responses=_ANSWERS)
    def qr(self, request: Request) -> Response:
        """Check in with the token of a QR code."""
        token = self._read(QRCheckInInput)["token"]
        return self._answer(check_in_by_token(student=self.user, token=token))

    @extend_schema(request=CodeCheckInInput, responses=_ANSWERS)
    def code(self, request: Request) -> Response:
        """Check in with the six digits shown in class."""
        code = self._read(CodeCheckInInput)["verification_code"]
        return self._answer(check_in_by_code(student=self.user, code=code))


class RecordViewSet(APIViewSet):
    """Records: one's own, and those of the courses that one teaches."""

    @extend_schema(parameters=[RecordFilter], responses=RecordOutput(many=True))
    def list(self, request: Request) -> Response:
        filters = self.read_filters(RecordFilter)
        lookups = {
            lookup: filters[name]
            for name, lookup in _LOOKUPS.items()
            if name in filters
        }
        records = selectors.records_visible(self.user, **lookups)

        def payloads(page: Sequence[Any]) -> list[Payload]:
            return [
                record_payload(r, class_session=r.class_session, student=r.student)
                for r in page
            ]

        return self.page_of(records, payloads)

    @extend_schema(responses=ChangeOutput(many=True))
    def history(self, request: Request, record_id: int) -> Response:
        """Every change of the record, oldest first."""
        record = selectors.record_for_history(self.user, record_id)
        return self.page_of(selectors.history(record), list)
