"""Holds JUnit reports against the schema of Jenkins, and compares what is in them with what was meant.

Usage: python junit.py FOLDER, which has expected.json and a NAME.xml for each NAME in it

The schema, junit-10.xsd, is that of Jenkins' xUnit plugin, under the licence that stands in it.
"""

import json
import pathlib
import sys

from lxml import etree

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path(sys.argv[1])

schema = etree.XMLSchema(etree.parse(HERE / "junit-10.xsd"))
expected = json.loads((FOLDER / "expected.json").read_text())
for name, meant in expected.items():
    report = etree.parse(FOLDER / f"{name}.xml")
    schema.assertValid(report)
    root = report.getroot()
    ids = [case.get("name").split()[0] for case in root.iterfind("testsuite/testcase") if case.get("classname") != "run"]
    assert ids == [requirement["id"] for requirement in meant["requirements"] + meant["later"]], name
    red = len(root.findall(".//failure")) + len(root.findall(".//error"))
    assert red == int(root.get("failures")) + int(root.get("errors")), name
    assert (red > 0) == meant["fails"], name
print(f"{len(expected)} JUnit reports fit the schema, and are read as they are meant")
