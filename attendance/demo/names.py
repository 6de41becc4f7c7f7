"""
Names of the demo school.

The people are the placeholder names of many languages, which nobody bears: rosters
must cope with every script and length, and no visitor shall take them for real.
"""

from __future__ import annotations

import dataclasses

ADMIN = "Demo Administrator"
TEACHERS = ("Amina Exemplar", "Tomás Ejemplo", "Yuki Mihon")

STUDENTS = (
    "Jane Doe",
    "Joe Bloggs",
    "Erika Mustermann",
    "Jean Untel",
    "Mario Rossi",
    "Anna Kowalska",
    "山田太郎",
    "홍길동",
    "张三",
    "Иван Иванов",
    "Γιάννης Παπαδόπουλος",
    "ישראל ישראלי",
    "فلان الفلاني",
    "सीता उदाहरण",
    "สมชาย ใจดี",
    "Nguyễn Văn A",
    "Matti Meikäläinen",
    "Kari Nordmann",
    "Medel-Svensson, Åsa",
    "Jón Jónsson",
    "Siobhán O'Example",
    "Fulana de Tal",
    "Juan dela Cruz",
    "Chan Tai Man 陳大文",
    "Piet Jansen van het Voorbeeld",
    "Ola Nordmann",
    "Josef Vzorný",
    "Jakab Gipsz",
    "Janez Novak",
    "Pera Perić",
    "Ion Popescu",
    "Maria-Antonia Wilhelmina van der Voorbeeld-Sampleton y Muestra de la Ejemplaridad",
    "Thandiwe Umzekelo",
    "Kofi Nhwɛsoɔ",
    "Ayşe Örnek",
    "Գևորգ Օրինակյան",
    "ნინო ნიმუში",
    "தமிழ்ச்செல்வி மாதிரி",
    "Budi Contoh",
    "Q",
)
_GIVEN = (
    "Ada",
    "Bao",
    "Chidi",
    "Dilara",
    "Eero",
    "Fatou",
    "Goran",
    "Hana",
    "Ingrid",
    "João",
    "Kwame",
    "Leila",
    "Mei",
    "Noor",
    "Øyvind",
    "Priya",
    "Quirin",
    "Rosa",
    "Saša",
    "Tamar",
    "Ulla",
    "Vikram",
    "Wanjiru",
    "Ximena",
    "Yusuf",
    "Zoë",
    "Анна",
    "Ελένη",
    "美咲",
    "ليلى",
    "Łukasz",
)
_FAMILY = (
    "Beispiel",
    "Contoh",
    "Davomat",
    "Ejemplo",
    "Esempio",
    "Exemple",
    "Exempel",
    "Exemplar",
    "Illustration",
    "Instance",
    "Lorem-Ipsum",
    "Mihon",
    "Model",
    "Muestra",
    "Mustermann",
    "Näide",
    "Namuna",
    "Örnek",
    "Paradigm",
    "Pavyzdys",
    "Példa",
    "Piemērs",
    "Primer",
    "Primjer",
    "Příklad",
    "Przykładowska",
    "Sample",
    "Specimen",
    "Voorbeeld",
    "Xusuus",
    "Ywaith",
    "Παράδειγμα",
    "Пример",
    "範例",
    "مثال",
    "דוגמה",
    "Example-Specimen",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """What a course is made from; `hour` is when it meets, in its own time zone."""

    name: str
    code: str
    location: str
    time_zone: str = "UTC"
    weekday: int = 0
    hour: int = 9


COURSES = (
    Subject("Math 101", "MATH-101", "Room B12", weekday=0, hour=9),
    Subject("Physics 1", "PHYS-1", "Lecture Hall 2", weekday=1, hour=11),
    Subject("World History", "HIST-1", "Room A03", "Europe/Berlin", 2, 14),
    Subject("Introduction to Programming", "CS-101", "Computer Lab", weekday=3, hour=8),
)
_FURTHER = (
    ("Biology", "BIO"),
    ("Chemistry", "CHEM"),
    ("Literature", "LIT"),
    ("Economics", "ECON"),
    ("Philosophy", "PHIL"),
    ("Geography", "GEO"),
    ("Statistics", "STAT"),
    ("Music Theory", "MUS"),
    ("Drawing", "ART"),
    ("Spanish", "SPA"),
    ("Astronomy", "ASTR"),
    ("Linguistics", "LING"),
)


def student_name(number: int) -> str:
    """The name of the demo student with this number, counted from 1."""
    if number <= len(STUDENTS):
        return STUDENTS[number - 1]
    # 31 and 37 have no divisor in common: 1,147 names before one comes again.
    return f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}"


def subject(number: int) -> Subject:
    """The demo course with this number, counted from 1."""
    if number <= len(COURSES):
        return COURSES[number - 1]
    level, index = divmod(number - len(COURSES) - 1, len(_FURTHER))
    name, code = _FURTHER[index]
    return Subject(f"{name} {level + 1}", f"{code}-{level + 1}", f"Room C{number:02}")
