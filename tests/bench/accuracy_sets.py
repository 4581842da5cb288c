"""The sets of the accuracy bench: where they lie, what their columns are called, who is who.

A set is written once as a sheet with a column `id` first and everything else as it was delivered. The only thing said
to a matcher is which field a column is, and the type of a column the people pack has no field for.
"""
import csv
import re
import subprocess
import zipfile
import xml.etree.ElementTree as tree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Table:
    name: str
    columns: list
    rows: list                                       # dicts, `id` among them
    truth: dict                                      # id -> entity
    reachable: dict = None                           # id -> best group that evidence allows
    maps: list = field(default_factory=list)         # COLUMN=FIELD of `tributary dedupe --map`
    own_fields: dict = field(default_factory=dict)   # columns that are fields of one's own: name -> type
    dropped: list = field(default_factory=list)      # columns nobody may look at
    splink: dict = None                              # see splink_dedupe.py
    fresh: bool = True                               # never looked at while the matcher was tuned

    def write(self, path):
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id"] + self.columns)
            writer.writerows([row["id"]] + [row[column] for column in self.columns] for row in self.rows)


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [{(key or "").strip(): (value or "").strip() for key, value in row.items() if key is not None}
                for row in csv.DictReader(file, skipinitialspace=True)]
    return rows


def febrl(directory, numbers, with_id):
    """FEBRL's made-up Australians; a duplicate is named after its original. 4a and 4b are read as one file."""
    rows = [row for number in numbers for row in read_csv(directory / f"dataset{number}.csv")]
    for row in rows:
        row["id"] = row["rec_id"]
    name = "febrl" + numbers[0][0] + ("" if with_id else " without soc_sec_id")
    columns = [column for column in rows[0] if column not in ("rec_id", "id")
               and (with_id or column != "soc_sec_id")]
    comparisons = [["name", "given_name"], ["name", "surname"], ["date_digits", "date_of_birth"],
                   ["text", "address_1"], ["text", "address_2"], ["text", "suburb"], ["code", "postcode"],
                   ["exact", "street_number"], ["exact", "state"]]
    if with_id:
        comparisons.append(["code", "soc_sec_id"])
    blocking = [["given_name", "surname"], ["surname", "date_of_birth"], ["given_name", "date_of_birth"],
                ["date_of_birth", "postcode"], ["given_name", "postcode"], ["surname", "postcode"],
                ["address_1", "suburb"], ["street_number", "address_1"]]
    if with_id:
        blocking.append(["soc_sec_id"])
    return Table(name, columns, rows, {row["id"]: row["rec_id"].split("-")[1] for row in rows},
                 own_fields={"soc_sec_id": "id_number"} if with_id else {},
                 maps=[],
                 splink={"comparisons": comparisons, "blocking": blocking, "recall": 0.8,
                         "deterministic": [["given_name", "surname", "date_of_birth"],
                                           ["surname", "address_1", "postcode"]],
                         "training": [["given_name", "surname"], ["date_of_birth"], ["postcode"]]}, fresh=False)


def fake_1000(directory):
    rows = read_csv(directory / "fake_1000.csv")
    for row in rows:
        row["id"] = row["unique_id"]
    columns = ["first_name", "surname", "dob", "city", "email"]
    return Table("fake_1000", columns, rows, {row["id"]: row["cluster"] for row in rows},
                 splink={"comparisons": [["name", "first_name"], ["name", "surname"], ["date", "dob"],
                                         ["exact_tf", "city"], ["email", "email"]],
                         "blocking": [["first_name", "surname"], ["surname", "dob"], ["first_name", "dob"], ["email"],
                                      ["first_name", "city"], ["surname", "city"], ["dob", "city"]],
                         "deterministic": [["first_name", "surname", "dob"], ["email"]], "recall": 0.7,
                         "training": [["first_name", "surname"], ["dob"], ["email"]]}, fresh=False)


def centres(directory, told):
    """Childcare centres of one city out of ten sources, by the columns the example of dedupe uses; `told`: what a site is
    called is a company's name."""
    rows = read_csv(directory / "csv_example_input_with_true_ids.csv")
    columns = ["Site name", "Address", "Zip", "Phone"]
    rows = [{"id": row["Id"], "entity": row["True Id"], **{column: " ".join(row[column].split()) for column in columns}}
            for row in rows]
    return Table("dedupe_csv_example" + (", names told as companies'" if told else ""), columns, rows,
                 {row["id"]: row["entity"] for row in rows}, maps=["Site name=company"] if told else [],
                 splink={"comparisons": [["text", "Site name"], ["text", "Address"], ["code", "Zip"], ["code", "Phone"]],
                         "blocking": [["Site name"], ["Phone"], ["Address"], ["Zip"]],
                         "deterministic": [["Site name", "Address"], ["Phone", "Address"]], "recall": 0.6,
                         "training": [["Phone"], ["Address"], ["Site name"]]}, fresh=False)


# What Splink is told of the generator's sheets.
GENERATED_SPLINK = {"prepare": {"name": ["full_name", "given_name", "family_name"], "digits": ["phone"]},
                    "comparisons": [["name", "name"], ["email", "email"], ["code", "phone"],
                                    ["date_digits", "birth_date"], ["text", "address"], ["exact_tf", "city"],
                                    ["code", "postal_code"], ["text", "company"], ["exact", "wechat_id"]],
                    "blocking": [["phone"], ["email"], ["wechat_id"], ["name", "city"], ["name", "birth_date"],
                                 ["name", "postal_code"], ["name", "company"], ["address", "city"]],
                    "deterministic": [["phone", "name"], ["email", "name"]], "recall": 0.6,
                    "training": [["phone"], ["email"], ["name"]]}


def generated(build, directory, population, noise, records, seed, fresh):
    out = directory / f"{population}-{noise}-{seed}"
    out.mkdir(parents=True, exist_ok=True)
    subprocess.run([build / "bench/generate", "--population", population, "--records", str(records), "--seed",
                    str(seed), "--noise", noise, "--out", out], check=True)
    rows, truth = read_csv(out / "customers.csv"), read_csv(out / "truth.csv")
    columns = [column for column in rows[0] if column != "id"]
    return Table(f"own {population} {noise}, {'fresh ' if fresh else ''}seed {seed}", columns, rows,
                 {row["id"]: row["entity"] for row in truth}, {row["id"]: row["reachable_group"] for row in truth},
                 dropped=["source", "registered_at"],
                 splink=GENERATED_SPLINK, fresh=fresh)


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def xlsx_rows(path, sheet):
    with zipfile.ZipFile(path) as book:
        texts = ["".join(part.text or "" for part in entry.iter(SHEET + "t"))
                 for entry in tree.fromstring(book.read("xl/sharedStrings.xml"))]
        for row in tree.fromstring(book.read(f"xl/worksheets/{sheet}.xml")).iter(SHEET + "row"):
            cells = {}
            for cell in row.iter(SHEET + "c"):
                value = cell.find(SHEET + "v")
                if value is not None:
                    column = re.match("[A-Z]+", cell.get("r")).group()
                    cells[column] = texts[int(value.text)] if cell.get("t") == "s" else value.text
            yield cells


def company_pairs(directory):
    """[(name, name, whether one company)]"""
    rows = list(xlsx_rows(directory / "similarity_pairs.xlsx", "sheet1"))[1:]
    return [(row["A"], row["B"], row["C"] == "是") for row in rows if row.get("C") in ("是", "否")]


NAME_TYPES = {"Person": "person_name", "Vessel": "text"}  # everything else is a company


def name_pairs(directory):
    """[(name, name, whether the same, field type)]"""
    return [(row["name1"], row["name2"], row["is_match"] == "true", NAME_TYPES.get(row["schema"], "company"))
            for row in read_csv(Path(directory) / "cases.csv")]
