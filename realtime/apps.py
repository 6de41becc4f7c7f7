from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """The live stream: from committed messages to browsers."""

    name = "realtime"
