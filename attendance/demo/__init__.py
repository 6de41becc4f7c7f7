"""The demo school: invented people and courses, and some weeks of their past."""
