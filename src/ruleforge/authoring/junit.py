"""junit: outcomes -> JUnit XML, as build servers read it

A suite is a rulebook, a case is a test. `file` and `line` say where the test stands.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ruleforge.authoring.outcome import Outcome
from ruleforge.authoring.outcome_page import outcome_text


def junit(outcomes: Sequence[Outcome]) -> bytes:
    """The report, UTF-8 with its declaration."""
    root = ET.Element("testsuites", _figures(outcomes))
    suites: dict[str, list[Outcome]] = {}
    for each in outcomes:
        suites.setdefault(each.path, []).append(each)
    for path, own in suites.items():
        name = own[0].rulebook.name
        suite = ET.SubElement(root, "testsuite", {"name": name, "file": path, **_figures(own)})
        for each in own:
            about = {"file": each.path, "line": str(each.line), "time": f"{each.seconds:.3f}"}
            title = _fit(each.test.title)
            case = ET.SubElement(suite, "testcase", {"name": title, "classname": name, **about})
            if not each.passed:
                message = f"{each.path}:{each.line}: what is got is not what is expected"
                failure = ET.SubElement(case, "failure", {"message": message})
                failure.text = _fit(outcome_text(each))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _figures(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(not each.passed for each in outcomes)),
        "errors": "0",
        "time": f"{sum(each.seconds for each in outcomes):.3f}",
    }


def _fit(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
