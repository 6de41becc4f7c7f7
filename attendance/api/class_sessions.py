"""Class sessions: their life, roster and events."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import codes, links, selectors
from attendance.api.inputs import (
    ClassSessionFilter,
    ClassSessionInput,
    EventsFilter,
    NewClassSessionInput,
)
from attendance.api.marking import MarkingActions
from attendance.api.outputs import (
    ClassSessionOutput,
    CodeOutput,
    EventsOutput,
    QROutput,
    SnapshotOutput,
)
from attendance.exceptions import SessionNotOpenError
from attendance.models import ClassSession
from attendance.payloads import Payload
from attendance.services import class_sessions as services


class ClassSessionViewSet(MarkingActions):
    """For the course's teachers; 403 to its students, 404 to everybody else."""

    lookup_url_kwarg = "class_session_id"
    lookup_value_converter = "id"

    def _answer(
        self, class_session: ClassSession, code: int = status.HTTP_200_OK
    ) -> Response:
        return Response(_payload(class_session), status=code)

    @extend_schema(
        parameters=[ClassSessionFilter], responses=ClassSessionOutput(many=True)
    )
    def list(self, request: Request) -> Response:
        filters = self.read_filters(ClassSessionFilter)
        sessions = selectors.class_sessions_taught(self.user)
        if "course" in filters:
            sessions = sessions.filter(course=filters["course"])
        if "state" in filters:
            sessions = sessions.filter(state=filters["state"])
        return self.page_of(sessions, selectors.class_session_payloads)

    @extend_schema(request=NewClassSessionInput, responses={201: ClassSessionOutput})
    def create(self, request: Request) -> Response:
        fields = self.read(NewClassSessionInput)
        course = selectors.course_for_teacher(self.user, fields.pop("course_id"))
        class_session = services.create_class_session(
            course=course, actor=self.user, open_now=fields.pop("open"), **fields
        )
        return self._answer(class_session, status.HTTP_201_CREATED)

    @extend_schema(responses=ClassSessionOutput)
    def retrieve(self, request: Request, class_session_id: int) -> Response:
        return self._answer(self.get_session(class_session_id))

    @extend_schema(request=ClassSessionInput, responses=ClassSessionOutput)
    def partial_update(self, request: Request, class_session_id: int) -> Response:
        class_session = self.get_session(class_session_id)
        fields = self.read(ClassSessionInput, partial=True)
        return self._answer(
            services.edit_class_session(
                class_session=class_session, actor=self.user, **fields
            )
        )

    @extend_schema(request=None, responses=ClassSessionOutput)
    @action(detail=True, methods=["post"], url_path="open")
    def open_session(self, request: Request, class_session_id: int) -> Response:
        """Open a scheduled class session."""
        class_session = self.get_session(class_session_id)
        self.read_no_input()
        return self._answer(
            services.open_class_session(class_session=class_session, actor=self.user)
        )

    @extend_schema(request=None, responses=ClassSessionOutput)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, class_session_id: int) -> Response:
        """Close it; who is still unmarked becomes absent."""
        class_session = self.get_session(class_session_id)
        self.read_no_input()
        return self._answer(
            services.close_class_session(class_session=class_session, actor=self.user)
        )

    @extend_schema(request=None, responses=ClassSessionOutput)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, class_session_id: int) -> Response:
        """Open a closed class session again, with a new code."""
        class_session = self.get_session(class_session_id)
        self.read_no_input()
        return self._answer(
            services.reopen_class_session(class_session=class_session, actor=self.user)
        )

    @extend_schema(request=None, responses=CodeOutput)
    @action(detail=True, methods=["post"], url_path="rotate-code")
    def rotate_code(self, request: Request, class_session_id: int) -> Response:
        """Replace code and QR token; the old ones are refused from now on."""
        class_session = self.get_session(class_session_id)
        self.read_no_input()
        class_session = services.rotate_verification_code(
            class_session=class_session, actor=self.user
        )
        return Response({"verification_code": class_session.verification_code})

    @extend_schema(responses=QROutput)
    @action(detail=True, methods=["get"])
    def qr(self, request: Request, class_session_id: int) -> Response:
        """The QR code to show, as token, link and picture."""
        class_session = self.get_session(class_session_id)
        if not class_session.is_open:
            raise SessionNotOpenError
        url = request.build_absolute_uri(links.check_in_path(class_session))
        return Response(
            {
                "token": links.current_token(class_session),
                "url": url,
                "svg": codes.qr_svg(url),
                "verification_code": class_session.verification_code,
                "valid_until": None,
                "rotates_every_seconds": None,
            }
        )

    @extend_schema(responses=SnapshotOutput)
    @action(detail=True, methods=["get"])
    def roster(self, request: Request, class_session_id: int) -> Response:
        """The snapshot: class session and roster as of one revision."""
        return Response(selectors.snapshot(self.get_session(class_session_id).pk))

    @extend_schema(parameters=[EventsFilter], responses=EventsOutput)
    @action(detail=True, methods=["get"])
    def events(self, request: Request, class_session_id: int) -> Response:
        """The messages with a revision above `after`, ascending, without holes."""
        class_session = self.get_session(class_session_id)
        after = int(self.read_filters(EventsFilter)["after"])
        messages = selectors.messages_after(class_session.pk, after)
        # Read after the messages, so that it is never behind them.
        state = selectors.stream_state(class_session.pk)
        last = messages[-1]["revision"] if messages else after
        return Response(
            {
                **state,
                "events": messages,
                "has_more": last < state["revision"],
            }
        )


def _payload(class_session: ClassSession) -> Payload:
    return selectors.class_session_payloads([class_session])[0]
