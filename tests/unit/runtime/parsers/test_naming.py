import pytest

from lorekeeper_runtime.parsers.naming import title_from_line, title_from_metadata


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ("Annual report", "Annual report"),
        ("  Guide\n to  .NET ", "Guide to .NET"),
        ("Microsoft Word - Guide to the house", "Guide to the house"),
        ("Input/Output in C:", "Input/Output in C:"),
        ("What node.js does", "What node.js does"),
        ("2024", ""),
        ("C:\\wp\\FILE94\\ASA\\MT_r1.wpd [PFP#1234567]", ""),
        ("/home/me/report.tex", ""),
        ("Microsoft Word - report_v3.doc", ""),
        ("paper.dvi", ""),
        ("untitled", ""),
        ("Document1", ""),
        ("PowerPoint Presentation", ""),
        ("\ufffd\ufffdx", ""),
        ("", ""),
    ],
)
def test_properties_tell_a_title_only_when_it_looks_like_one(told: str, title: str) -> None:
    assert title_from_metadata(told) == title


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("\n Operating the pump\n\nFirst open the valve.", "Operating the pump"),
        ("3 Results\nWe found", "3 Results"),
        ("The committee met on Tuesday and\ndecided to go.", ""),
        ("This is a sentence.", ""),
        ("one", ""),
        ("12.03.2024 15:30", ""),
        ("Write to me@example.com", ""),
        ("C:\\a\\Report.doc", ""),
        ("", ""),
    ],
)
def test_a_first_line_is_a_title_when_it_looks_like_a_heading(page: str, title: str) -> None:
    assert title_from_line(page) == title
