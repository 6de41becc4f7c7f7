from django.contrib.auth.views import LogoutView
from django.urls import path

from attendance import converters  # noqa: F401  (registers <id:...>)
from attendance.pages import (
    accounts,
    check_in,
    class_sessions,
    courses,
    home,
    marking,
    me,
    people,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", home.icon, name="icon"),
    path("accounts/login/", accounts.LogIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/password/", accounts.change_password, name="password"),
    # Courses
    path("courses/", courses.courses, name="courses"),
    path("courses/new/", courses.new_course, name="new-course"),
    path("courses/<id:course_id>/", courses.course, name="course"),
    path("courses/<id:course_id>/edit/", courses.edit_course, name="edit-course"),
    path("courses/<id:course_id>/start/", class_sessions.start, name="start"),
    path("courses/<id:course_id>/plan/", class_sessions.plan, name="plan"),
    path("courses/<id:course_id>/students/", people.add_student, name="add-student"),
    path(
        "courses/<id:course_id>/students/<id:student_id>/remove/",
        people.remove_student,
        name="remove-student",
    ),
    path("courses/<id:course_id>/teachers/", people.add_teacher, name="add-teacher"),
    path(
        "courses/<id:course_id>/teachers/<id:user_id>/remove/",
        people.remove_teacher,
        name="remove-teacher",
    ),
    # Class sessions
    path(
        "class-sessions/<id:class_session_id>/",
        class_sessions.class_session,
        name="class-session",
    ),
    path(
        "class-sessions/<id:class_session_id>/project/",
        class_sessions.project,
        name="project",
    ),
    path(
        "class-sessions/<id:class_session_id>/edit/",
        class_sessions.edit,
        name="edit-class-session",
    ),
    path(
        "class-sessions/<id:class_session_id>/open/",
        class_sessions.open_now,
        name="open-class-session",
    ),
    path(
        "class-sessions/<id:class_session_id>/close/",
        class_sessions.close,
        name="close-class-session",
    ),
    path(
        "class-sessions/<id:class_session_id>/rotate-code/",
        class_sessions.rotate_code,
        name="rotate-code",
    ),
    path("class-sessions/<id:class_session_id>/bulk/", marking.bulk, name="bulk"),
    path("class-sessions/<id:class_session_id>/undo/", marking.undo, name="undo"),
    path("class-sessions/<id:class_session_id>/settle/", marking.settle, name="settle"),
    path(
        "class-sessions/<id:class_session_id>/students/<id:student_id>/",
        marking.student,
        name="class-session-student",
    ),
    # Students
    path("c/", check_in.by_code, name="check-in"),
    path("c/<str:token>/", check_in.by_token, name="check-in-token"),
    path("me/", me.me, name="me"),
    path("me/records/<id:record_id>/", me.own_record, name="own-record"),
]
