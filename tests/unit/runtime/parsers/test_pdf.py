import io
from concurrent.futures import ThreadPoolExecutor

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from lorekeeper_runtime.parsers import pdf
from lorekeeper_runtime.ports import RawDocument


def _pdf(lines: list[str], title: str = "") -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A5, invariant=1)
    if title:
        canvas.setTitle(title)
    for line in lines:
        canvas.drawString(50, 500, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_pages_are_counted_from_one_and_empty_ones_too() -> None:
    parsed = pdf.parse(RawDocument("a.pdf", _pdf(["one", "", "three"])))
    assert [(section.page, section.text) for section in parsed.sections] == [(1, "one"), (3, "three")]


def test_a_title_that_says_nothing_gives_way_to_the_name() -> None:
    assert pdf.parse(RawDocument("x/report.pdf", _pdf(["one"], "untitled"))).title == "report"
    assert pdf.parse(RawDocument("x/report.pdf", _pdf(["one"], "Annual report"))).title == "Annual report"


def test_a_path_in_the_properties_gives_way_to_the_first_line() -> None:
    path = "C:\\wp\\FILE94\\ASA\\MT_r1.wpd [PFP#1234567]"
    assert pdf.parse(RawDocument("x/report.pdf", _pdf(["Operating the pump"], path))).title == "Operating the pump"
    assert pdf.parse(RawDocument("x/report.pdf", _pdf(["it runs on"], path))).title == "report"


def test_threads_may_parse_at_the_same_time() -> None:
    document = RawDocument("a.pdf", _pdf([f"page {number}" for number in range(20)]))
    expected = pdf.parse(document)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(pdf.parse, [document] * 16)) == [expected] * 16
