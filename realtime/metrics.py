"""What the streams count; `docs/operation.md` says what each figure means."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

FRAMES = Counter("attendance_stream_frames", "Frames sent, by type.", ["type"])
SOCKETS = Gauge(
    "attendance_stream_sockets",
    "Open sockets, by stream.",
    ["stream"],
    multiprocess_mode="livesum",
)
CLOSES = Counter(
    "attendance_stream_closes", "Sockets closed from this side, by code.", ["code"]
)
HEARTBEAT_LAG = Histogram(
    "attendance_stream_heartbeat_lag_seconds",
    "From when a heartbeat was due to when the last of its sockets was handed it.",
    # Whoever hears nothing for 12.5 s no longer calls itself live.
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
RESYNCS = Counter(
    "attendance_stream_resyncs", "Resyncs that clients asked for.", ["stream"]
)
CATCH_UPS = Counter(
    "attendance_stream_catch_ups",
    "How often a socket was sent messages read from the event table, by cause.",
    ["stream", "cause"],
)
SNAPSHOTS = Counter(
    "attendance_stream_snapshots", "Snapshots sent, by cause.", ["stream", "cause"]
)
