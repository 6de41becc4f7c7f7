"""
Anything at all, sent to the check-in endpoints: never a fault, always the contract's
error, and a refusal changes nothing.
"""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from attendance.models import (
    AttendanceEvent,
    AttendanceRecord,
    ClassSession,
    Enrollment,
    FailedCheckIn,
)
from tests.cast import API, client_for, qr_token_of

pytestmark = pytest.mark.django_db

PATHS = {"verification_code": f"{API}/check-ins/code/", "token": f"{API}/check-ins/qr/"}
CODES_BY_STATUS = {
    400: {
        "invalid",
        "parse_error",
        "invalid_format",
        "invalid_token",
        "expired_token",
    },
    401: {"not_authenticated"},
    404: {"invalid_code"},
    413: {"too_large"},
    415: {"unsupported_media_type"},
}

fuzz = settings(
    max_examples=80,
    deadline=None,
    database=None,
    # The database's content is put back by each example that could change it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

fields = st.sampled_from(sorted(PATHS))
# Lone surrogates included: as escapes they are fine in JSON.
texts = st.text(st.characters(exclude_categories=()), max_size=40)
numbers = st.integers() | st.floats() | st.integers(min_value=10**300)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts | fields, inner, max_size=4)
    ),
    max_leaves=12,
)
digits = st.text(
    st.characters(categories=["Nd", "Zs", "Pd", "No", "Cf"]), min_size=1, max_size=12
)
header_texts = st.text(st.characters(max_codepoint=255), max_size=60)


def facts():
    """Everything that a check-in could have changed."""
    return (
        list(AttendanceRecord.objects.values_list()),
        AttendanceEvent.objects.count(),
        list(ClassSession.objects.values_list("revision", "verification_code")),
        Enrollment.objects.count(),
    )


@pytest.fixture
def before(class_session):
    return facts()


@pytest.fixture
def fuzzed(class_session, student):
    return client_for(student)


def assert_refused(answer, before):
    status = answer.status_code
    assert status in CODES_BY_STATUS, (status, answer.content)
    body = answer.json()
    assert set(body) - {"errors"} == {"code", "detail"}
    assert body["code"] in CODES_BY_STATUS[status]
    assert isinstance(body["detail"], str) and body["detail"]
    assert ("errors" in body) == (body["code"] == "invalid")
    assert facts() == before
    # So that the next example is looked at, and not just told to wait.
    FailedCheckIn.objects.all().delete()


def post(client, path, body, content_type="application/json", **headers):
    return client.generic("POST", path, body, content_type, **headers)


@fuzz
@given(field=fields, value=values, more=st.dictionaries(texts, values, max_size=3))
def test_any_value(field, value, more, fuzzed, before):
    body = json.dumps({**more, field: value})
    assert_refused(post(fuzzed, PATHS[field], body), before)


@fuzz
@given(field=fields, value=values)
def test_any_json(field, value, fuzzed, before):
    assert_refused(post(fuzzed, PATHS[field], json.dumps(value)), before)


@fuzz
@given(field=fields, body=st.binary(max_size=200))
def test_any_bytes(field, body, fuzzed, before):
    assert_refused(post(fuzzed, PATHS[field], body), before)


@fuzz
@given(typed=digits)
def test_anything_like_a_code(typed, class_session, fuzzed, before):
    answer = post(
        fuzzed, PATHS["verification_code"], json.dumps({"verification_code": typed})
    )
    # Once in a million it is the right one.
    if answer.status_code != 201:
        assert_refused(answer, before)
        assert answer.json()["code"] in ("invalid_format", "invalid_code")


@fuzz
@given(data=st.data())
def test_a_token_with_anything_changed(data, class_session, fuzzed, before, genuine):
    position = data.draw(st.integers(0, len(genuine)))
    removed = data.draw(st.integers(0, 3))
    inserted = data.draw(texts | st.text(string.printable, max_size=3))
    token = genuine[:position] + inserted + genuine[position + removed :]
    if token != genuine:
        answer = post(fuzzed, PATHS["token"], json.dumps({"token": token}))
        assert_refused(answer, before)
        assert answer.json()["code"] == "invalid_token"


@pytest.fixture
def genuine(class_session, teacher_client):
    return qr_token_of(teacher_client, class_session)


@fuzz
@given(field=fields, authorization=header_texts | header_texts.map("Bearer ".__add__))
def test_any_authorization(field, authorization, before):
    answer = post(APIClient(), PATHS[field], "{}", HTTP_AUTHORIZATION=authorization)
    assert answer.status_code == 401
    assert_refused(answer, before)


@fuzz
@given(
    field=fields,
    content_type=header_texts | header_texts.map("application/json;".__add__),
    body=st.binary(max_size=20),
    accept=header_texts,
    cookie=header_texts,
)
def test_any_headers(field, content_type, body, accept, cookie, fuzzed, before):
    answer = post(
        fuzzed,
        PATHS[field],
        body,
        content_type,
        HTTP_ACCEPT=accept,
        HTTP_COOKIE=cookie,
        HTTP_X_FORWARDED_FOR=accept,
        HTTP_ACCEPT_LANGUAGE=cookie,
        HTTP_ORIGIN=accept,
    )
    assert_refused(answer, before)
