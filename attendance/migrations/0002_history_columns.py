import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for sources, seals, undo and overruled marks; filled by the next one."""

    dependencies = [("attendance", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="OverruledMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("record_version", models.PositiveIntegerField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("automatic", "Automatic"),
                            ("student", "Student"),
                            ("teacher", "Teacher"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("present", "Present"),
                            ("late", "Late"),
                            ("absent", "Absent"),
                            ("excused", "Excused"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "verification_method",
                    models.CharField(
                        choices=[
                            ("qr_code", "QR code"),
                            ("verification_code", "Code"),
                            ("teacher_override", "Set by teacher"),
                            ("auto_close", "Set on closing"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="attendanceevent",
            name="before",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="attendanceevent",
            name="hash",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="attendanceevent",
            name="operation_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="attendanceevent",
            name="source",
            field=models.CharField(
                choices=[
                    ("automatic", "Automatic"),
                    ("student", "Student"),
                    ("teacher", "Teacher"),
                    ("administrator", "Administrator"),
                ],
                default="teacher",
                max_length=13,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="attendancerecord",
            name="source",
            field=models.CharField(
                choices=[
                    ("automatic", "Automatic"),
                    ("student", "Student"),
                    ("teacher", "Teacher"),
                    ("administrator", "Administrator"),
                ],
                db_default="automatic",
                default="automatic",
                max_length=13,
            ),
        ),
        migrations.AlterField(
            model_name="attendancerecord",
            name="status",
            field=models.CharField(
                choices=[
                    ("present", "Present"),
                    ("late", "Late"),
                    ("absent", "Absent"),
                    ("excused", "Excused"),
                    ("unmarked", "Unmarked"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="attendancerecord",
            name="verification_method",
            field=models.CharField(
                blank=True,
                choices=[
                    ("qr_code", "QR code"),
                    ("verification_code", "Code"),
                    ("teacher_override", "Set by teacher"),
                    ("auto_close", "Set on closing"),
                ],
                max_length=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="overruledmark",
            name="actor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="overruled_marks",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="overruledmark",
            name="class_session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="overruled_marks",
                to="attendance.classsession",
            ),
        ),
        migrations.AddField(
            model_name="overruledmark",
            name="record",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="overruled_marks",
                to="attendance.attendancerecord",
            ),
        ),
        migrations.AddIndex(
            model_name="overruledmark",
            index=models.Index(
                fields=["record", "record_version"], name="overruled_of_record"
            ),
        ),
        migrations.AddConstraint(
            model_name="overruledmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["present", "late", "absent", "excused"])
                ),
                name="overruled_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="overruledmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("source__in", ["automatic", "student", "teacher", "administrator"])
                ),
                name="overruled_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="overruledmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "verification_method__in",
                        [
                            "qr_code",
                            "verification_code",
                            "teacher_override",
                            "auto_close",
                        ],
                    )
                ),
                name="overruled_method_known",
            ),
        ),
    ]
