#!/usr/bin/env python3
"""Counts test cases and prints "N passed, N failed" as its last line.

The folder holds ctest's summary (ctest.junit) and one XML report a GoogleTest program. A program counts by its cases; one
that failed without a failed case (a crash, a time limit) is one more failure. What writes no report counts as one case.
"""
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def count_report(report):
    passed = failed = skipped = 0
    for case in xml.parse(report).iter("testcase"):
        if case.find("failure") is not None:
            failed += 1
            print(f"failed: {case.get('classname')}.{case.get('name')}", file=sys.stderr)
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped += 1
        elif case.get("status") != "notrun":
            passed += 1
    return passed, failed, skipped


def count_program(test, reports):
    name = test.get("name")
    succeeded = test.get("status") == "run"
    report = reports / f"{name}.xml"
    try:
        passed, failed, skipped = count_report(report) if report.exists() else (int(succeeded), 0, 0)
    except xml.ParseError:
        passed, failed, skipped, succeeded = 0, 0, 0, False
    if not succeeded and failed == 0:
        failed = 1
        print(f"failed: {name}, without saying which case", file=sys.stderr)
    return passed, failed, skipped


def main():
    reports = Path(sys.argv[1])
    try:
        tests = list(xml.parse(reports / "ctest.junit").iter("testcase"))
    except (OSError, xml.ParseError):
        tests = []
    counts = [count_program(test, reports) for test in tests]
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    if passed + failed == 0:
        print("no test ran", file=sys.stderr)
        failed = 1
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
