from django.db import migrations, models

from attendance import append_only


class Migration(migrations.Migration):
    """The rules that the filled columns keep to; history is append-only from here."""

    dependencies = [("attendance", "0003_history_data")]

    operations = [
        migrations.RemoveConstraint(
            model_name="attendancerecord",
            name="record_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="attendancerecord",
            name="record_reason_with_override",
        ),
        migrations.AddConstraint(
            model_name="attendanceevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("source__in", ["automatic", "student", "teacher", "administrator"])
                ),
                name="event_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendanceevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("operation_id__isnull", False)),
                fields=("operation_id",),
                name="event_operation_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendanceevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("hash__regex", "^[0-9a-f]{64}$")),
                name="event_sealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendancerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["present", "late", "absent", "excused", "unmarked"])
                ),
                name="record_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendancerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("override_reason__isnull", False),
                        ("verification_method", "teacher_override"),
                    ),
                    models.Q(
                        models.Q(
                            ("verification_method__isnull", True),
                            models.Q(
                                ("verification_method", "teacher_override"),
                                _negated=True,
                            ),
                            _connector="OR",
                        ),
                        ("override_reason__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="record_reason_with_override",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendancerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status", "unmarked"), ("verification_method__isnull", True)
                    ),
                    models.Q(
                        models.Q(("status", "unmarked"), _negated=True),
                        ("verification_method__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="record_method_unless_unmarked",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendancerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("source__in", ("teacher", "administrator")),
                        ("verification_method", "teacher_override"),
                    ),
                    models.Q(
                        ("source", "student"),
                        ("verification_method__in", ("qr_code", "verification_code")),
                    ),
                    models.Q(
                        ("source", "automatic"), ("verification_method", "auto_close")
                    ),
                    models.Q(
                        ("source", "automatic"), ("verification_method__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="record_source_fits_method",
            ),
        ),
        migrations.RunPython(append_only.add, append_only.remove),
    ]
