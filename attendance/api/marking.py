"""What teachers do to marks: override, bulk, undo, and settling conflicts."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import selectors
from attendance.api.base import APIViewSet
from attendance.api.inputs import BulkInput, OverrideInput, SettleInput, UndoInput
from attendance.api.outputs import (
    BulkOutput,
    ConflictOutput,
    OperationOutput,
    RecordOutput,
    UndoOutput,
)
from attendance.models import ClassSession
from attendance.payloads import Payload
from attendance.services import marking
from attendance.services.conflicts import settle_conflict
from attendance.services.marking import NotMarked
from attendance.services.undo import undo_operation

# In a header, because the bodies of some of these answers are Records.
OPERATION_ID = "Operation-Id"
_NAMES_OPERATION = OpenApiParameter(
    OPERATION_ID,
    uuid.UUID,
    OpenApiParameter.HEADER,
    response=[200],
    description="Names the change, to undo it; absent when nothing changed.",
)


class MarkingActions(APIViewSet):
    """The part of the class sessions' API that changes marks."""

    def get_session(self, class_session_id: int) -> ClassSession:
        """The class session, for its course's teachers."""
        return selectors.class_session_for_teacher(self.user, class_session_id)

    @extend_schema(
        request=OverrideInput, responses=RecordOutput, parameters=[_NAMES_OPERATION]
    )
    @action(detail=True, methods=["post"])
    def override(self, request: Request, class_session_id: int) -> Response:
        """Set one student's status by hand."""
        class_session = self.get_session(class_session_id)
        outcome = marking.override_status(
            class_session=class_session, actor=self.user, **self.read(OverrideInput)
        )
        return _answer(outcome.record, outcome.operation_id)

    @extend_schema(
        request=BulkInput, responses=BulkOutput, parameters=[_NAMES_OPERATION]
    )
    @action(detail=True, methods=["post"])
    def bulk(self, request: Request, class_session_id: int) -> Response:
        """
        Set many students' status by hand: one transaction, one message.

        With `versions`, nobody is overwritten whose record is no longer at the version
        given: such students are in `failed_students` as `version_conflict`, those who
        bear an administrator's mark as `overruled`, both with their Record.
        """
        class_session = self.get_session(class_session_id)
        outcome = marking.mark_in_bulk(
            class_session=class_session, actor=self.user, **self.read(BulkInput)
        )
        body = {
            "operation_id": outcome.operation_id,
            "operation": outcome.operation,
            "processed_count": outcome.processed_count,
            "unchanged_count": outcome.unchanged_count,
            "failed_count": outcome.failed_count,
            "failed_students": [_not_marked(student) for student in outcome.failed],
            "records": outcome.records,
        }
        changed = bool(outcome.records)
        return _answer(body, uuid.UUID(outcome.operation_id) if changed else None)

    @extend_schema(
        request=UndoInput, responses=UndoOutput, parameters=[_NAMES_OPERATION]
    )
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, class_session_id: int) -> Response:
        """
        Take back an override, a bulk operation or an undo.

        Only records that nobody has changed since become what they were before; the
        others are named in `not_restored`.
        """
        class_session = self.get_session(class_session_id)
        fields = self.read(UndoInput)
        outcome = undo_operation(class_session=class_session, actor=self.user, **fields)
        body = {
            "operation_id": outcome.operation_id,
            "undone_operation_id": fields["operation_id"],
            "restored_count": len(outcome.restored),
            "not_restored_count": len(outcome.not_restored),
            "restored": outcome.restored,
            "not_restored": [_not_marked(student) for student in outcome.not_restored],
        }
        return _answer(body, outcome.operation_id)

    @extend_schema(responses=OperationOutput(many=True))
    @action(detail=True, methods=["get"])
    def operations(self, request: Request, class_session_id: int) -> Response:
        """The changes of marks by hand and by closing, the latest first."""
        class_session = self.get_session(class_session_id)
        return self.page_of(
            selectors.operation_events(class_session.pk),
            lambda page: selectors.operations(class_session, self.user, page),
        )

    @extend_schema(responses=ConflictOutput(many=True))
    @action(detail=True, methods=["get"])
    def conflicts(self, request: Request, class_session_id: int) -> Response:
        """Marks against which a weaker source has said something since."""
        class_session = self.get_session(class_session_id)
        return self.page_of(selectors.open_conflicts(class_session.pk), list)

    @extend_schema(
        request=SettleInput, responses=RecordOutput, parameters=[_NAMES_OPERATION]
    )
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, class_session_id: int) -> Response:
        """End a conflict: `accept` what was overruled, or keep the mark."""
        class_session = self.get_session(class_session_id)
        outcome = settle_conflict(
            class_session=class_session, actor=self.user, **self.read(SettleInput)
        )
        return _answer(outcome.record, outcome.operation_id)


def _answer(body: Payload, operation_id: uuid.UUID | None) -> Response:
    headers = {} if operation_id is None else {OPERATION_ID: str(operation_id)}
    return Response(body, headers=headers)


def _not_marked(student: NotMarked) -> Payload:
    payload: dict[str, Any] = {
        "student_id": student.student_id,
        "code": student.code,
        "detail": student.detail,
    }
    if student.record is not None:
        payload["record"] = student.record
    return payload
