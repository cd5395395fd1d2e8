import json

from cohort.findings import Check, as_report, counts

CHECK = Check("UD999", "things", "error")
FINDINGS = [
    CHECK.found("3 of 4", where="a.csv", things=3),
    Check("UD998", "others", "warning").found("1"),
    CHECK.clear("none of 4"),
    CHECK.not_applicable("no things here"),
]


def test_a_check_gives_findings_with_its_code_and_severity() -> None:
    assert {(finding.code, finding.severity) for finding in FINDINGS} == {("UD999", "error"), ("UD998", "warning")}
    assert [finding.status for finding in FINDINGS] == ["found", "found", "clear", "not applicable"]


def test_only_an_error_that_was_found_is_an_error() -> None:
    assert [finding.is_error for finding in FINDINGS] == [True, False, False, False]


def test_counts_are_by_severity_for_what_was_found() -> None:
    assert counts(FINDINGS) == {"error": 1, "warning": 1, "info": 0, "clear": 1, "not applicable": 1}


def test_the_report_is_json_with_every_finding_in_order() -> None:
    report = json.loads(json.dumps(as_report("data", FINDINGS)))
    assert (report["subject"], report["ok"]) == ("data", False)
    assert [finding["status"] for finding in report["findings"]] == [finding.status for finding in FINDINGS]
    assert report["findings"][0] == {
        "code": "UD999",
        "title": "things",
        "severity": "error",
        "status": "found",
        "where": "a.csv",
        "measured": "3 of 4",
        "values": {"things": 3},
    }


def test_a_report_without_errors_is_ok() -> None:
    assert as_report("data", FINDINGS[1:])["ok"] is True
