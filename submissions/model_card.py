"""A model card with the headings of TRIPOD+AI, filled from a run's report; what is not in the run is stated as missing.

Headings: Collins et al., TRIPOD+AI statement, BMJ 385:e078378, 2024.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cv_folds.formats import count, difference, with_interval
from cv_folds.metrics import PAUC

Report = Mapping[str, Any]

NOT_RECORDED = "Not recorded in the run; to be stated by whoever publishes it."
NOTICE = "A research tool, not a diagnosis. No score or risk of this model may be used to decide about a patient."
_MARKS = re.compile(r"([\\`*_\[\]<>|#])")
_CONDITIONS = {
    "simulated": "The data are simulated: no figure here says anything about real patients.",
    "real": "The data are real.",
    "unknown": "Whether the data are real or simulated is not known.",
}


def model_card(report: Report) -> dict[str, Any]:
    """Fill the card.

    Args:
        report: As `submissions.report.building.build_report` returns it.

    Returns:
        Ready for JSON: `title`, `notice`, `origin`, and `sections`, each with TRIPOD+AI's `item`, its `heading` and
        its `statements`.
    """
    written = (_introduction(report), _data(report), _methods(report), _results(report), _discussion(report))
    sections = [
        {"item": item, "heading": heading, "statements": statements}
        for part in written
        for item, heading, statements in part
    ]
    title = f"Model card: {report['run']}, a ranking of skin lesions by risk of malignancy"
    return {"title": title, "notice": NOTICE, "origin": report["origin"], "sections": sections}


def as_markdown(card: Mapping[str, Any]) -> str:
    """Write a card as Markdown; text from the data cannot turn into markup."""
    lines = [f"# {_plain(card['title'])}", "", f"> **{_plain(card['notice'])}**", ""]
    for section in card["sections"]:
        lines += [f"## {section['heading']} ({section['item']})", ""]
        lines += [f"- {_plain(statement)}" for statement in section["statements"]]
        lines.append("")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


Section = tuple[str, str, list[str]]


def _introduction(report: Report) -> list[Section]:
    seen = report["overview"]
    pauc = seen["rows"][0]["pooled"][PAUC.name]
    return [
        ("2", "Summary", [_CONDITIONS[report["origin"]["kind"]], f"pAUC {with_interval(pauc)}, out of fold.", NOTICE]),
        (
            "3",
            "Background and intended use",
            [
                "Intended use: research on the order in which the lesions of one patient are looked at.",
                "Intended users: researchers. Not for patients, and not for clinical decisions.",
                f"Inputs: {'the lesion table and image features' if seen['images'] else 'the lesion table alone'}.",
            ],
        ),
        ("4", "Objectives", ["Development with internal evaluation by patient-grouped cross-validation."]),
    ]


def _data(report: Report) -> list[Section]:
    seen, people, made = report["overview"], report["people"], report["provenance"]
    hospitals = [f"{row['name']}: {_lesions(row)}." for row in people["hospitals"]]
    licences = [f"Licence {row['name']}: {_lesions(row)}." for row in people["licences"]]
    inputs = [f"SHA-256 of {name}: {sha256}." for name, sha256 in made["inputs"].items()]
    missing = [f"{name}: missing for {100 * share:.2g} % of lesions." for name, share in people["missing"].items()]
    return [
        (
            "5",
            "Data",
            [*inputs, *(licences or ["The table names no licence."]), "Dates of collection: " + NOT_RECORDED],
        ),
        (
            "6",
            "Participants",
            [
                f"{count(seen['lesions'])} lesions of {count(seen['patients'])} patients.",
                *(_spread(people[name], label) for name, label in _SPREADS if people[name]),
                *(hospitals or ["The table names no hospital."]),
            ],
        ),
        (
            "7",
            "Data preparation",
            [
                f"Policy on duplicate images: {made['config']['data']['duplicate_policy']}.",
                "Measurements are also compared with the same patient's; no lesion was left out for its values.",
            ],
        ),
        (
            "8",
            "Outcome",
            ["The column target: 1 malignant, 0 benign or indeterminate. Not every benign lesion was biopsied."],
        ),
        (
            "9",
            "Predictors",
            [f"{name}: {number} features." for name, number in report["features"].items()],
        ),
        (
            "10",
            "Sample size",
            [f"{count(seen['malignant'])} malignant lesions in {seen['malignant_patients']} patients."],
        ),
        ("11", "Missing data", missing or ["No measurement or category is missing."]),
    ]


_SPREADS = (("age", "Age in years"), ("lesions_per_patient", "Lesions of a patient"))


def _sampling(ratio: float | str) -> str:
    if isinstance(ratio, str):  # "inf", see `submissions.report.provenance`
        return "All benign training lesions."
    return f"{ratio:g} benign training lesions for each malignant one, drawn by seed."


def _methods(report: Report) -> list[Section]:
    config, fair = report["provenance"]["config"], report["fairness"]
    learners = ", ".join(row["name"] for row in report["learners"]["differences"])
    ensemble = config["ensemble"]
    return [
        ("12", "Analytical methods", [f"Learners: {learners}; blend: {report['learners']['method']}."]),
        (
            "13",
            "Class imbalance",
            [_sampling(ensemble["benign_per_malignant"])],
        ),
        (
            "14",
            "Fairness",
            [
                f"Measured by {', '.join(each['label'].lower() for each in fair['divisions'] if each['groups'])}.",
                _few(fair),
            ],
        ),
        (
            "15",
            "Model output",
            [f"A score in 0 to 1, and a risk ({report['calibration']['method']} calibration)."],
        ),
        (
            "16",
            "Training versus evaluation",
            [f"Folds hold whole patients; scheme: {config['folds']['scheme']}, {config['folds']['n_folds']} folds."],
        ),
        ("17", "Ethical approval", [NOT_RECORDED]),
        ("18", "Open science: funding, protocol, registration, sharing", [NOT_RECORDED, _code(report)]),
        ("19", "Patient and public involvement", [NOT_RECORDED]),
    ]


def _few(fair: Report) -> str:
    return (
        f"Groups with fewer than {fair['few_lesions']} malignant lesions, or fewer than {fair['few_patients']} "
        "patients who have one, are called too few to tell."
    )


def _results(report: Report) -> list[Section]:
    seen = report["overview"]
    performance = [
        f"{row['label']}: "
        + ", ".join(f"{label} {with_interval(row['pooled'][key])}" for key, label in seen["metrics"].items())
        for row in seen["rows"]
    ]
    points = [
        f"{point['label']}: {with_interval(point, point['digits'])}." for point in report["learners"]["working_points"]
    ]
    weights = [f"Weight of {name}: {weight:.3f}." for name, weight in report["learners"]["weights"].items()]
    intervals = f"{100 * seen['level']:g} % intervals from {count(seen['replicates'])} draws of {seen['unit']}s."
    return [
        (
            "20",
            "Participants",
            [f"{count(seen['malignant_patients'])} of {count(seen['patients'])} patients have a malignant lesion."],
        ),
        (
            "21",
            "Model development",
            [
                f"{fold['lesions']:,} lesions in fold {fold['fold']}, {fold['malignant']} malignant."
                for fold in report["folds"]["rows"]
            ],
        ),
        ("22", "Model specification", [*weights, "Models in native formats, with their SHA-256, lie in the run."]),
        ("23", "Model performance", [intervals, *performance, *points]),
        ("23a", "Performance in groups", _groups(report)),
        ("24", "Model updating", ["None."]),
    ]


def _discussion(report: Report) -> list[Section]:
    fair = report["fairness"]
    few = [
        f"{each['label']}: too few to tell for {', '.join(names)}."
        for each in fair["divisions"]
        if (names := [group["name"] for group in each["groups"] if not group["enough"]])
    ]
    absent = [
        f"{each['label']}: nobody who is {', '.join(each['absent'])}." for each in fair["divisions"] if each["absent"]
    ]
    unknown = [f"{each['label']}: not in the table." for each in fair["divisions"] if each["missing"]]
    not_run = [f"Not done: {command}." for command in report["not_run"].values()]
    return [
        ("25", "Interpretation", _differences(report)),
        ("26", "Limitations: who is missing from the data", few + absent + unknown or ["No group that was looked at."]),
        (
            "26",
            "Limitations",
            [
                _CONDITIONS[report["origin"]["kind"]],
                *(note.capitalize() + "." for note in report["overview"]["notes"]),
                "Evaluated on patients of the hospitals it was trained on, unless a hospital was left out.",
                *not_run,
            ],
        ),
        (
            "27",
            "Usability in current care",
            [NOTICE, "How the ranking changes what a clinician finds has not been studied."],
        ),
    ]


def _differences(report: Report) -> list[str]:
    """What the blend gains over each learner, and over table or image alone."""
    rows = [(f"blend minus {row['name']}", row[PAUC.name]) for row in report["learners"]["differences"]]
    rows += [
        (f"{pair['first']} minus {pair['second'].lower()}", pair["difference"][PAUC.name])
        for pair in report["overview"]["comparisons"]
    ]
    return [f"pAUC, {name}: {difference(cell)}." for name, cell in rows]


def _groups(report: Report) -> list[str]:
    return [
        f"{each['label']}, {group['name']}: pAUC {with_interval(group[PAUC.name])}, "
        f"sensitivity {_share(group['sensitivity'])}, benign flagged {_share(group['false_alarms'])}."
        + (" Worse than overall." if group["worse"] else "")
        for each in report["fairness"]["divisions"]
        for group in each["groups"]
        if group["enough"]
    ]


def _share(cell: Mapping[str, Any]) -> str:
    return with_interval(cell, 1, percent=True)


def _lesions(row: Mapping[str, Any]) -> str:
    return f"{count(row['lesions'])} lesions of {count(row['patients'])} patients"


def _spread(spread: Mapping[str, float], label: str) -> str:
    return f"{label}: median {spread['median']:g}, {spread['low']:g} to {spread['high']:g}."


def _code(report: Report) -> str:
    made = report["provenance"]
    commit = f", commit {made['git']['commit']}" if made["git"] else ""
    changed = ", with changes that are not committed" if made["git"] and made["git"]["modified"] else ""
    return f"Code: uglyduck {made['versions']['uglyduck']}{commit}{changed}."
